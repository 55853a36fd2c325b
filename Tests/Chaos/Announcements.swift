import Foundation
import Domain
import RedisClient
import Synchronization

/// A message's outcome as announced on the stream of outcomes.
struct Announcement: Hashable, Sendable {
    /// `accepted`, `refused`, `cancelled`, `adjusted`, `refunded` or `dead_letter`.
    var outcome: String
    var orderID = ""
    var cancellationID = ""
    var adjustmentID = ""
    var refundID = ""
    var reason = ""
    var seq: Int64?
    var decidedAt: String
    /// The position in the journal; `nil` if the outcome has none.
    var place: LedgerRows.Place?

    init(outcome: String, decidedAt: String) {
        self.outcome = outcome
        self.decidedAt = decidedAt
    }

    /// - Parameter fields: The entry's names and values, alternating.
    init(_ fields: [RedisValue]) {
        var values: [String: String] = [:]
        for at in stride(from: 0, to: fields.count - 1, by: 2) {
            values[fields[at].string ?? ""] = fields[at + 1].string
        }
        outcome = values["outcome"] ?? ""
        orderID = values["order_id"] ?? ""
        cancellationID = values["cancellation_id"] ?? ""
        adjustmentID = values["adjustment_id"] ?? ""
        refundID = values["refund_id"] ?? ""
        reason = values["reason"] ?? ""
        seq = values["seq"].flatMap { Int64($0) }
        decidedAt = values["decided_at"] ?? ""
        if let epoch = values["epoch"].flatMap({ Int64($0) }), let position = values["position"].flatMap({ Int64($0) })
        {
            place = LedgerRows.Place(epoch: epoch, position: position)
        }
    }
}

/// Everything that was ever announced: follows the stream of outcomes, whatever happens to Redis.
final class Announcements: Sendable {
    private struct State {
        var all: [Announcement] = []
        var last = EntryID("0-0")
    }

    private let state = Mutex(State())
    private let journal: ChaosJournal

    private static let interval = Duration.milliseconds(50)
    /// Outcomes that are read at a time.
    private static let limit = 2_000

    init(journal: ChaosJournal) {
        self.journal = journal
    }

    /// In the order in which they were announced.
    var all: [Announcement] { state.withLock { $0.all } }

    /// Forgets all announcements except these, which the restored ledger contains.
    func keep(_ recorded: Set<Announcement>) {
        state.withLock { $0.all = $0.all.filter { recorded.contains($0) } }
    }

    /// Reads until cancelled. Redis may be unavailable, or have forgotten outcomes; new ones have later ids, as ids are
    /// times.
    func follow(_ shop: ChaosShop) async throws {
        let client = shop.redis.client()
        while !Task.isCancelled {
            while let count = try? await read(shop, client), count == Self.limit {}
            do { try await Task.sleep(for: Self.interval) } catch { break }
        }
        await client.close()
    }

    /// Reads the rest of the stream, then deletes it: if Redis forgets only outcomes, none is announced again.
    func readAndDelete(_ shop: ChaosShop) async throws {
        let client = shop.redis.client()
        do { try await read(shop, client, limit: 1_000_000, deletes: true) } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    /// - Returns: The number of outcomes read.
    @discardableResult
    func read(
        _ shop: ChaosShop, _ client: RedisClient, limit: Int = limit, deletes: Bool = false
    ) async throws -> Int {
        let last = state.withLock { $0.last }
        // Atomically: what was trimmed, and what is left.
        let script = """
            local ok, info = pcall(redis.call, 'XINFO', 'STREAM', KEYS[1])
            if not ok then return {'0-0', {}} end
            local dropped = '0-0'
            for i = 1, #info, 2 do if info[i] == 'max-deleted-entry-id' then dropped = info[i + 1] end end
            local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
            if ARGV[3] == 'delete' then redis.call('DEL', KEYS[1]) end
            return {dropped, entries}
            """
        let reply = try await client.send(
            RedisCommand(
                deletes ? "EVAL" : "EVAL_RO", script, "1", shop.keys.outcomes, "\(last)", "\(limit)",
                deletes ? "delete" : ""), timeout: .seconds(2))
        guard let parts = reply.array, parts.count == 2, let entries = parts[1].array else { return 0 }
        if let dropped = parts[0].string, EntryID(dropped) > last {
            journal.violation(.chaos, "outcomes from \(last) to \(dropped) were dropped before they were read")
        }
        state.withLock { state in
            for entry in entries {
                guard let pair = entry.array, pair.count == 2, let id = pair[0].string, let fields = pair[1].array
                else { continue }
                state.last = max(state.last, EntryID(id))
                state.all.append(Announcement(fields))
            }
        }
        journal.count("samples", "outcomes", entries.count)
        return entries.count
    }
}

extension LedgerContents {
    /// The announcements that the records require.
    var announcements: [Announcement] {
        func make(
            _ key: String, _ outcome: String, _ decidedAt: String, _ fill: (inout Announcement) -> Void
        ) -> Announcement {
            var announcement = Announcement(outcome: outcome, decidedAt: decidedAt)
            announcement.place = journal.places[key]
            fill(&announcement)
            return announcement
        }
        let orders = orders.map { row in
            make("order \(row.id)", row.shortage == nil ? "accepted" : "refused", row.decidedAt) {
                $0.orderID = row.id
                $0.reason = row.shortage?.reason ?? ""
                $0.seq = row.seq
            }
        }
        let cancellations = cancellations.map { row in
            make("cancellation \(row.id)", "cancelled", row.decidedAt) {
                $0.orderID = row.orderID
                $0.cancellationID = row.id
                $0.reason = row.asksForMore ? "not_owned" : ""
                $0.seq = row.seq
            }
        }
        let adjustments = adjustments.map { row in
            make("adjustment \(row.id)", "adjusted", row.decidedAt) {
                $0.adjustmentID = row.id
                $0.seq = row.seq
            }
        }
        let refunds = refunds.map { row in
            make("refund \(row.id)", "refunded", row.decidedAt) {
                $0.orderID = row.orderID
                $0.refundID = row.id
            }
        }
        let deadLetters = deadLetters.map { row in
            make(
                "dead_letter \(row.entryID)/\(row.fingerprint.map { String(format: "%02x", $0) }.joined())",
                "dead_letter", row.receivedAt
            ) {
                $0.orderID = row.orderID ?? ""
                $0.cancellationID = row.cancellationID ?? ""
                $0.adjustmentID = row.adjustmentID ?? ""
                $0.refundID = row.refundID ?? ""
                $0.reason = row.reason
            }
        }
        return orders + cancellations + adjustments + refunds + deadLetters
    }
}
