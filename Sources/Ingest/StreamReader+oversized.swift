import Domain
import RedisClient

/// Tracks entries that are too large to be sent (`RedisOptions.maximumReplyBytes`).
///
/// The error for a reply that is too large does not identify the entry that is too large. From then on pending entries
/// are claimed one at a time (a *search*), until all are processed. An entry that is too large even alone is delivered
/// by its id, without its content.
///
/// An entry that does not arrive in time is not given up: the cause may be a network that stalls only large packets,
/// and a paid order would be lost. Each attempt allows more time, until the entry arrives or is known to be too large.
struct OversizedEntries {
    /// Whether pending entries must be claimed one at a time.
    private(set) var isSearching = false
    private var tooLarge: Set<String> = []
    /// The entry that timed out last, and how often.
    private var late: (id: String, times: Int)?

    private static let firstPatience = Duration.seconds(30)
    /// A connection of 0.5 Mbit/s transfers the largest allowed reply in this time.
    private static let longestPatience = Duration.seconds(600)

    /// Records that a read or claim of up to `count` entries failed.
    mutating func failed(with error: any Error, count: Int) {
        switch error {
        case RedisError.replyTooLarge: isSearching = true
        case RedisError.timedOut where count == 1: isSearching = true
        default: break
        }
    }

    /// Records that claiming this entry alone failed.
    mutating func failed(on id: String, with error: any Error) {
        switch error {
        case RedisError.replyTooLarge: tooLarge.insert(id)
        case RedisError.timedOut: late = (id, (late?.id == id ? late?.times ?? 0 : 0) + 1)
        default: break
        }
    }

    func isTooLarge(_ id: String) -> Bool { tooLarge.contains(id) }

    /// Returns how long this entry may take to arrive.
    func patience(for id: String) -> Duration {
        guard let late, late.id == id else { return Self.firstPatience }
        return min(Self.firstPatience * (1 << min(late.times, 10)), Self.longestPatience)
    }

    mutating func endSearch() { self = OversizedEntries() }
}

extension StreamReader {
    /// The maximum memory of the whole stream for which Redis is asked to load an entry: Redis then holds two more
    /// copies of the entry, and serves no other client for about 5 ms per MiB.
    private static let inspectableBytes: Int64 = 64 << 20

    /// Returns an entry without its content, with the details that can be found out, or nil if it was deleted from the
    /// stream.
    func inspect(_ id: String) async throws -> StreamEntry? {
        var reason = "larger than a read may be"
        let found: RedisValue
        do {
            found = try await scripts.run(.inspect, keys: [keys.checkouts]) { command in
                command.append(id)
                command.append(Self.inspectableBytes)
            }
        } catch RedisError.reply {
            // Without permission to run the script, only the id is known.
            return StreamEntry(id: id, unreadBecause: reason)
        }
        let parts = found.array ?? []
        switch parts.first?.string {
        case "GONE": return nil
        case "ENTRY" where parts.count == 4:
            reason += "; it has \(parts[2].int ?? 0) bytes in \(parts[1].int ?? 0) fields"
            if let digest = parts[3].string, !digest.isEmpty { reason += ", SHA-1 of its payload \(digest)" }
        default: break
        }
        return StreamEntry(id: id, unreadBecause: reason)
    }
}
