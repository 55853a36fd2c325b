import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Which messages the stream holds.
package struct StreamExtent: Sendable {
    /// The oldest message; nil: the stream holds none.
    package var first: StreamID?
    /// The last message ever added.
    package var last: StreamID?
    package var length: Int64
    /// How many were ever added.
    package var added: Int64

    /// nil if there is no stream. Errors: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> StreamExtent? {
        try await ask(keys, client, for: [])?.extent
    }

    /// Which of these messages the stream does not hold. Between its ends some may be missing: Redis may have lost its
    /// tail and taken other messages since. Errors: `RedisError`.
    package static func absent(
        of entries: [StreamID], _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> [StreamID] {
        guard let extent = try await read(keys, client), let first = extent.first, let last = extent.last
        else { return entries }
        let candidates = entries.filter { first <= $0 && $0 <= last }
        var absent = entries.filter { $0 < first || last < $0 }
        for start in stride(from: 0, to: candidates.count, by: idsAtATime) {
            let ids = candidates[start..<min(start + idsAtATime, candidates.count)]
            // All of them, if the stream is gone by now.
            absent += try await ask(keys, client, for: ids.map(\.text))?.absent ?? Array(ids)
        }
        return absent
    }

    /// Redis serves no other client during a lookup.
    private static let idsAtATime = 1_000

    private static func ask(
        _ keys: StoreKeys, _ client: RedisClient, for ids: [String]
    ) async throws -> (extent: StreamExtent, absent: [StreamID])? {
        let parts: [RedisValue]
        do {
            parts =
                try await ScriptRunner(client: client).run(.extent, keys: [keys.checkouts]) { arguments in
                    for id in ids { arguments.append(id) }
                }.array ?? []
        } catch RedisError.reply(let error, _) where error.message.contains("no such key") {
            return nil
        }
        guard parts.count == 5 else {
            throw RedisError.protocolViolation(to: client.url.redacted, detail: "reply to extent: not five values")
        }
        func position(_ value: RedisValue) -> StreamID? { value.string.flatMap { StreamID($0) } }
        let extent = StreamExtent(
            first: position(parts[3]), last: position(parts[2]), length: parts[0].int ?? 0, added: parts[1].int ?? 0)
        return (extent, (parts[4].array ?? []).compactMap(position))
    }
}
