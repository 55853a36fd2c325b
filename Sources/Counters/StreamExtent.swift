import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// The range of messages that the stream holds.
package struct StreamExtent: Sendable {
    /// The oldest message; nil if the stream is empty.
    package var first: StreamID?
    /// The last message ever added.
    package var last: StreamID?
    package var length: Int64
    /// The number of messages ever added.
    package var added: Int64

    /// Reads the extent of the stream; nil if the stream does not exist. Errors: `RedisError`.
    package static func read(_ keys: StoreKeys, _ client: RedisClient) async throws -> StreamExtent? {
        try await ask(keys, client, for: [])?.extent
    }

    /// Returns the messages that the stream does not hold. Messages between its ends may be missing, too: Redis may
    /// have lost its tail and received other messages since. Errors: `RedisError`.
    package static func absent(
        of entries: [StreamID], _ keys: StoreKeys, _ client: RedisClient
    ) async throws -> [StreamID] {
        guard let extent = try await read(keys, client), let first = extent.first, let last = extent.last
        else { return entries }
        let candidates = entries.filter { first <= $0 && $0 <= last }
        var absent = entries.filter { $0 < first || last < $0 }
        for start in stride(from: 0, to: candidates.count, by: idsAtATime) {
            let ids = candidates[start..<min(start + idsAtATime, candidates.count)]
            // All of them, if the stream was deleted in the meantime.
            absent += try await ask(keys, client, for: ids.map(\.text))?.absent ?? Array(ids)
        }
        return absent
    }

    /// Redis serves no other client during a lookup, so ids are looked up in slices of this size.
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
