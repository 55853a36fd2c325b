import Inventory
import RedisClient

/// Entries that cannot be sent: larger than `RedisOptions.maximumReplyBytes`, or too slow to arrive.
///
/// A reply that is too large says so only of all its entries together. So pending entries are claimed one at a time
/// from then on (a *search*), until all are through. One that fails alone is given without its content, by its id.
struct OversizedEntries {
    enum Obstacle: Sendable {
        case tooLarge
        case tooSlow
    }

    /// Pending entries are to be claimed one at a time.
    private(set) var isSearching = false
    private var obstacles: [String: Obstacle] = [:]
    private var timeouts: [String: Int] = [:]

    /// How long one entry may take to arrive.
    static let patience = Duration.seconds(30)
    /// How often one may fail to arrive, while the server answers at once, before it is given up.
    private static let attempts = 3

    /// A read or claim of up to `count` entries failed.
    mutating func failed(with error: any Error, count: Int) {
        switch error {
        case RedisError.replyTooLarge: isSearching = true
        case RedisError.timedOut where count == 1: isSearching = true
        default: break
        }
    }

    /// Claiming this entry alone failed.
    /// - Parameter isServerAlive: whether the server answered right after that.
    mutating func failed(on id: String, with error: any Error, isServerAlive: Bool) {
        switch error {
        case RedisError.replyTooLarge: obstacles[id] = .tooLarge
        case RedisError.timedOut where isServerAlive:
            timeouts[id, default: 0] += 1
            if timeouts[id, default: 0] >= Self.attempts { obstacles[id] = .tooSlow }
        default: break
        }
    }

    func obstacle(of id: String) -> Obstacle? { obstacles[id] }

    mutating func endSearch() { self = OversizedEntries() }
}

extension StreamReader {
    /// Memory of the whole stream up to which Redis is asked to load an entry: it holds it twice more meanwhile, and
    /// serves nobody else for some 5 ms a MiB.
    private static let inspectableBytes: Int64 = 64 << 20

    /// An entry without its content, with what can be found out about it; nil: it is gone.
    func inspect(_ id: String, _ obstacle: OversizedEntries.Obstacle) async throws -> StreamEntry? {
        var reason =
            switch obstacle {
            case .tooLarge: "larger than a read may be"
            case .tooSlow: "it did not arrive within \(OversizedEntries.patience), several times"
            }
        let found: RedisValue
        do {
            found = try await scripts.run(.inspect, keys: [keys.checkouts]) { command in
                command.append(id)
                command.append(Self.inspectableBytes)
            }
        } catch RedisError.reply {
            // Without the right to ask, its id is all that is known of it.
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
