import Counters
import Domain
import Ledger

/// A snapshot of a store, from which status, readiness and gauges are derived.
struct StoreSnapshot: Sendable {
    var capturedAt: String
    /// The ledger's identity.
    var identity: String
    /// How far the ledger was before Redis was queried; `nil` if the ledger could not be read.
    var watermark: LedgerWatermark?
    var redis: RedisSnapshot
    var ledger: LedgerSnapshot
    var isConsumerActive: Bool
    var consumerProcess: Int32?
    /// Milliseconds since the oldest unread or pending message arrived.
    var oldestWaiting: Int64?

    /// The snapshot that an ending process reports.
    static func ended(identity: String) -> StoreSnapshot {
        let why = "the process is ending"
        return StoreSnapshot(
            capturedAt: Timestamp.now(), identity: identity, redis: RedisSnapshot(notes: [why], trouble: why),
            ledger: LedgerSnapshot(failure: why), isConsumerActive: false)
    }

    var readiness: Readiness {
        Readiness(counters: counters, ledger: readable, backlog: backlog, consumer: consumer)
    }

    private var counters: Readiness.Check {
        guard let head = redis.counters else {
            return .init(isPassed: false, detail: redis.trouble ?? "Redis does not report it")
        }
        if let wrong = wrongCounters(head) { return .init(isPassed: false, detail: wrong) }
        func text(_ number: Int64?) -> String { number.map { String($0) } ?? "none" }
        return .init(isPassed: true, detail: "installed: epoch \(text(head.epoch)), seq \(text(head.seq))")
    }

    /// Why the counters are not valid; `nil` if they are.
    private func wrongCounters(_ head: CounterHead) -> String? {
        if head.isEmpty { return "none are installed: no consumer has started yet" }
        if head.ledger != identity { return "they belong to another ledger" }
        if let ledger = ledger.statistics?.head, head.objection(to: ledger, of: identity) != nil {
            return "they are ahead of the ledger, which has gone back in time"
        }
        if let watermark, watermark.isAbove(epoch: head.epoch ?? 0, seq: head.seq ?? 0) {
            return "they are behind the ledger: Redis has lost changes, and a consumer installs them again"
        }
        return nil
    }

    /// The number of rows of the journal that are not announced yet; `nil` if unknown.
    var unannounced: Int64? {
        guard let head = redis.counters, head.ledger == identity, let statistics = ledger.statistics else { return nil }
        return head.unannounced(of: statistics.head)
    }

    private var readable: Readiness.Check {
        if ledger.failure != nil { return .init(isPassed: false, detail: "it cannot be read") }
        if let damage = ledger.damage { return .init(isPassed: false, detail: "it is damaged: \(damage)") }
        if let obstacle = ledger.condition.obstacle { return .init(isPassed: false, detail: obstacle) }
        return .init(isPassed: true, detail: "can be read and written")
    }

    private var backlog: Readiness.Check {
        guard let unread = redis.unread, let pending = redis.pending else {
            return .init(isPassed: false, detail: redis.trouble ?? "Redis does not report it")
        }
        return .init(
            isPassed: true,
            detail: "\(unread.count)\(unread.isLowerBound ? " or more" : "") unread, \(pending.count) pending")
    }

    private var consumer: Readiness.Check {
        isConsumerActive
            ? .init(isPassed: true, detail: "one is active") : .init(isPassed: false, detail: "none is active")
    }

    var isRedisWell: Bool {
        guard let head = redis.counters else { return false }
        return head.isEmpty || wrongCounters(head) == nil
    }

    /// The problem with Redis, described for the operator; `nil` if there is none.
    var redisDetail: String? {
        var notes = redis.notes
        if let head = redis.counters, let wrong = wrongCounters(head) { notes.insert("the counters: \(wrong)", at: 0) }
        return notes.isEmpty ? nil : notes.joined(separator: " ")
    }
}
