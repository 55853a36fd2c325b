import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// The counters of one store in Redis: deciding, acknowledging and installing are methods of this type.
///
/// Errors of all methods: `RedisError`, `CountersError`.
package struct CounterStore: Sendable {
    package let keys: StoreKeys
    /// The ledger's identity; counters that carry another one are never touched.
    package let ledger: String
    let scripts: ScriptRunner

    package init(keys: StoreKeys, ledger: String, client: RedisClient) {
        self.keys = keys
        self.ledger = ledger
        scripts = ScriptRunner(client: client)
    }
}

extension CounterStore {
    /// Identity, epoch and seq as Redis has them now; cheap enough for once a second.
    package func head() async throws -> CounterHead {
        try await CounterHead.read(keys, scripts.client)
    }
}

extension CounterHead {
    /// The names of the fields.
    package static let fields = ["ledger", "epoch", "seq", "settled", "recorded", "catalogue", "announced"]

    /// The head of a store's counters, for callers without a ledger.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> CounterHead {
        var command = RedisCommand("HMGET", keys.stock)
        for field in fields { command.append(field) }
        let reply = try await client.send(command)
        guard let values = reply.array, values.count == fields.count else {
            throw CountersError.unexpectedReply(script: "HMGET", detail: "not \(fields.count) values")
        }
        return CounterHead(values[...])
    }

    /// - Parameter values: the values of `fields`, in their order; empty or null where one is missing.
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

    /// The counter that a field of the hash (`sold:p:ID`, `cap:v:ID` …) belongs to by its name, or nil.
    package init?(ofField field: String) {
        // By bytes: an id may begin with an accent, which a `Character` would take together with the colon.
        let parts = field.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, ["sold", "cap", "closed"].contains(parts[0]),
            let level = CapLevel.allCases.first(where: { parts[1] == String($0.letter) })
        else { return nil }
        self.init(level, Identifier(parts[2]))
    }
}
