import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Reads the counters, for modules that never write them: availability and reconciliation.
package struct CounterReader: Sendable {
    /// Counters per snapshot. The script takes about 4 µs for each: with 250 counters, half of the snapshots took 0.9
    /// ms and one in a thousand 5 ms, on a busy machine with two cores.
    package static let sliceCounters = 100

    package let keys: StoreKeys
    private let scripts: ScriptRunner

    package var client: RedisClient { scripts.client }

    package init(keys: StoreKeys, client: RedisClient) {
        self.keys = keys
        scripts = ScriptRunner(client: client)
    }

    /// Reads the head alone.
    package func head() async throws -> CounterHead {
        try await CounterHead.read(keys, scripts.client)
    }

    /// Reads the named counters (at most `sliceCounters`) and the state that they belong to, in one atomic step.
    package func snapshot(_ names: some Collection<CounterName>) async throws -> CounterSnapshot {
        let reply = try await scripts.run(.snapshot, keys: [keys.stock], capacity: names.count * 32) { command in
            for name in names { command.append(name.field) }
        }
        let heads = CounterHead.fields.count
        guard let parts = reply.array, parts.count == heads + 2, let values = parts[heads + 1].array,
            values.count == names.count * 3
        else {
            throw CountersError.unexpectedReply(script: "snapshot", detail: "not \(heads + 2) parts")
        }
        let head = CounterHead(parts[..<heads])
        var counters: [(name: CounterName, state: CounterState)] = []
        counters.reserveCapacity(names.count)
        for (index, name) in names.enumerated() {
            let state = CounterState(
                sold: values[3 * index].int, cap: Self.cap(values[3 * index + 1]),
                isActive: values[3 * index + 2].string != "1")
            counters.append((name, state))
        }
        let headFields = parts[..<heads].count { $0.string?.isEmpty == false }
        let counterFields = values.count { if case .null = $0 { false } else { true } }
        return CounterSnapshot(
            head: head, fields: parts[heads].int ?? 0, headFields: Int64(headFields),
            counterFields: Int64(counterFields),
            counters: counters)
    }

    /// Returns the names of the hash's fields that `body` keeps, at most `limit`, in the order in which HSCAN returns
    /// them. `body` receives a few hundred names at a time.
    package func fields(limit: Int, keeping body: ([String]) async throws -> [String]) async throws -> [String] {
        var found: [String] = []
        var cursor = "0"
        repeat {
            var command = RedisCommand("HSCAN", keys.stock)
            for text in [cursor, "COUNT", "500"] { command.append(text) }
            guard let parts = try await scripts.client.send(command).array, parts.count == 2,
                let next = parts[0].string, let pairs = parts[1].array
            else { throw CountersError.unexpectedReply(script: "HSCAN", detail: "not a cursor and fields") }
            cursor = next
            let fields = stride(from: 0, to: pairs.count, by: 2).compactMap { pairs[$0].string }
            // HSCAN may return the same field twice.
            for field in try await body(fields) where !found.contains(field) { found.append(field) }
        } while cursor != "0" && found.count < limit
        return Array(found.prefix(limit))
    }

    /// A cap that is not a number does not mean unlimited: it is returned as a value that no catalogue contains.
    static func cap(_ value: RedisValue) -> Int64? {
        if case .null = value { return nil }
        return value.int ?? -1
    }
}
