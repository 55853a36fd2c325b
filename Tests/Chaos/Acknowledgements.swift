import Foundation
import Domain
import RedisClient
import RedisLayout
import Synchronization
import TestSupport

enum StoreGroup {
    static let name = StoreKeys.group
}

/// The id of a stream entry, ordered as in the stream.
struct EntryID: Comparable, Hashable, CustomStringConvertible {
    var milliseconds: UInt64
    var number: UInt64

    init(_ text: String) {
        let parts = text.split(separator: "-").map { UInt64($0) ?? 0 }
        milliseconds = parts.first ?? 0
        number = parts.count > 1 ? parts[1] : 0
    }

    var description: String { "\(milliseconds)-\(number)" }

    static func < (a: EntryID, b: EntryID) -> Bool { (a.milliseconds, a.number) < (b.milliseconds, b.number) }
}

/// Checks that acknowledged entries are recorded: an entry that was delivered and is not pending must be in the ledger.
final class Acknowledgements: Sendable {
    /// The last entry delivered before a fault removed pending entries.
    private let doubtful = Mutex(EntryID("0-0"))
    private static let sample = 300

    /// Excludes all entries delivered so far from the check, because a fault removes pending entries.
    func doubtAll() {
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        doubtful.withLock { $0 = EntryID("\(now + 1)-0") }
    }

    static func delivered(_ group: [RedisValue]) -> String? {
        guard let at = group.firstIndex(where: { $0.string == "last-delivered-id" }), at + 1 < group.count else {
            return nil
        }
        return group[at + 1].string
    }

    /// - Returns: The number of entries checked.
    func check(_ shop: ChaosShop, _ client: RedisClient, _ history: SentHistory, _ journal: ChaosJournal) async throws
        -> Int
    {
        // Atomically: nothing is delivered or acknowledged in between.
        let script = """
            local ok, groups = pcall(redis.call, 'XINFO', 'GROUPS', KEYS[1])
            if not ok or #groups == 0 then return {} end
            local id = nil
            for i = 1, #groups[1], 2 do if groups[1][i] == 'last-delivered-id' then id = groups[1][i + 1] end end
            local pending = {}
            for _, entry in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 100000)) do
              pending[#pending + 1] = entry[1]
            end
            return {id, pending, redis.call('XREVRANGE', KEYS[1], id, '-', 'COUNT', ARGV[2])}
            """
        let doubtful = doubtful.withLock { $0 }
        let reply = try await client.send(
            RedisCommand("EVAL", script, "1", shop.keys.checkouts, StoreGroup.name, "\(Self.sample)"),
            timeout: .seconds(2))
        guard let parts = reply.array, parts.count == 3 else { return 0 }
        let pending = Set((parts[1].array ?? []).compactMap(\.string))
        // The ledger only grows, so it may be read after Redis.
        try history.look(at: shop.rows)
        var looked = 0
        for entry in parts[2].array ?? [] {
            guard let pair = entry.array, pair.count == 2, let id = pair[0].string, !pending.contains(id),
                EntryID(id) > doubtful, let fields = pair[1].array
            else { continue }
            looked += 1
            if !history.isRecorded(fields.map { $0.bytes ?? [] }), self.doubtful.withLock({ $0 }) == doubtful {
                journal.violation(
                    .acknowledgedIsRecorded, "entry \(id) is acknowledged, and the ledger does not hold it")
            }
        }
        return looked
    }
}
