import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// The counters of one store in Redis, with methods that decide, acknowledge and install.
///
/// All methods throw `RedisError` and `CountersError`.
package struct CounterStore: Sendable {
    package let keys: StoreKeys
    /// The ledger's identity; counters with a different identity are never changed.
    package let ledger: String
    let scripts: ScriptRunner

    package init(keys: StoreKeys, ledger: String, client: RedisClient) {
        self.keys = keys
        self.ledger = ledger
        scripts = ScriptRunner(client: client)
    }
}

extension CounterStore {
    /// Returns the identity, epoch and seq that Redis has now; cheap enough to call once a second.
    package func head() async throws -> CounterHead {
        try await CounterHead.read(keys, scripts.client)
    }
}

extension CounterHead {
    /// The names of the head's fields.
    package static let fields = ["ledger", "epoch", "seq", "settled", "recorded", "catalogue", "announced"]

    /// Reads the head of a store's counters, for callers without a ledger.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> CounterHead {
        var command = RedisCommand("HMGET", keys.stock)
        for field in fields { command.append(field) }
        let reply = try await client.send(command)
        guard let values = reply.array, values.count == fields.count else {
            throw CountersError.unexpectedReply(script: "HMGET", detail: "not \(fields.count) values")
        }
        return CounterHead(values[...])
    }

    /// Parses the head.
    /// - Parameter values: the values of `fields`, in order; empty or null if a field is missing.
    init(_ values: ArraySlice<RedisValue>) {
        let at = values.startIndex
        let ledger = values[at].string
        self.init(
            ledger: ledger?.isEmpty == true ? nil : ledger, epoch: values[at + 1].int, seq: values[at + 2].int,
            settled: values[at + 3].int, recorded: values[at + 4].int, catalogue: values[at + 5].int,
            announced: values[at + 6].int)
    }
}

extension CounterName {
    /// The counter's name in the fields of the hash: `p:ID` or `v:ID`.
    package var field: String { "\(level.letter):\(id.text)" }

    /// Parses the counter's name from a field of the hash (`sold:p:ID`, `cap:v:ID` …); nil if the field belongs to no
    /// counter.
    package init?(ofField field: String) {
        // Splits bytes, because an id may begin with a combining accent, which would form one `Character` with the
        // colon.
        let parts = field.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, ["sold", "cap", "closed"].contains(parts[0]),
            let level = CapLevel.allCases.first(where: { parts[1] == String($0.letter) })
        else { return nil }
        self.init(level, Identifier(parts[2]))
    }
}
