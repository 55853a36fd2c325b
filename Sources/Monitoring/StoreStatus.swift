import Domain
import Ledger
import StrictJSON

/// The state of a store, for its operator. A value that could not be read is `nil`, and the `detail` of Redis or the
/// ledger explains why. The status contains no customer data.
package struct StoreStatus: Sendable {
    package struct Redis: Sendable {
        /// Whether Redis replies, and its counters are valid for this ledger or not installed.
        package var isWell: Bool
        /// The URL without the password.
        package var url: String
        package var version: String?
        package var usedMemory: Int64?
        package var detail: String?
    }

    package struct Ledger: Sendable {
        /// Whether the ledger can be read and, as far as the system reports, written.
        package var isWell: Bool
        package var path: String
        /// The size of the file and its log, in bytes.
        package var bytes: Int64
        /// The size of the log alone, in bytes.
        package var logBytes: Int64
        /// The result of the last check for damage; `nil` if unknown.
        package var soundness: LedgerSoundness?
        /// The problem; or, if there is none, what the operator should check.
        package var detail: String?
    }

    package enum Drift: Sendable, Equatable {
        case counters(Int, comparedAt: String)
        /// Counters and ledger could not be compared.
        case unknown(String)
    }

    package var store: String
    package var version: String
    package var asOf: String
    /// The ledger's epoch.
    package var epoch: Int64?
    /// The highest seq that is recorded.
    package var seq: Int64?
    /// The highest seq that is acknowledged, according to Redis.
    package var settled: Int64?
    /// The number of messages that the ledger has ever recorded: orders, cancellations, adjustments, refunds and dead
    /// letters.
    package var recorded: Int64?
    /// The number of rows of the journal that are not announced yet.
    package var unannounced: Int64?
    package var redis: Redis
    package var ledger: Ledger
    package var isConsumerActive: Bool
    /// The id of the active process.
    package var consumerProcess: Int32?
    /// The number of messages that no consumer has read.
    package var backlog: Int64?
    /// The number of messages that were read and are not acknowledged.
    package var pending: Int64?
    /// Milliseconds since the oldest of the unread and pending messages arrived.
    package var oldestWaiting: Int64?
    package var orders: Int64?
    package var refundsDue: RefundsDue?
    /// The number of open dead letters.
    package var deadLetters: Int64?
    package var requestedReplays: Int64?
    /// `nil` if they were not compared yet.
    package var drift: Drift?
    package var subscribers: Int
    /// The latest outcomes, latest first.
    package var outcomes: [RecordedOutcome]

    /// The status as `/operator/status` serves it.
    package var json: JSONValue {
        .members([
            "store": .string(store), "version": .string(version), "as_of": .string(asOf), "epoch": .integer(epoch),
            "seq": .integer(seq), "settled": .integer(settled), "recorded": .integer(recorded),
            "unannounced": .integer(unannounced),
            "redis": .members([
                "ok": .bool(redis.isWell), "url": .string(redis.url), "version": .text(redis.version),
                "used_memory_bytes": .integer(redis.usedMemory), "detail": .text(redis.detail),
            ]),
            "ledger": .members([
                "ok": .bool(ledger.isWell), "path": .string(ledger.path), "bytes": .integer(ledger.bytes),
                "log_bytes": .integer(ledger.logBytes), "sound": ledger.soundness.map { .bool($0.isSound) } ?? .null,
                "checked_at": .text(ledger.soundness?.checkedAt), "detail": .text(ledger.detail),
            ]),
            "consumer": .members([
                "active": .bool(isConsumerActive), "process": .integer(consumerProcess),
            ]),
            "backlog": .integer(backlog), "pending": .integer(pending),
            "oldest_pending_s": oldestWaiting.map { .number(JSONNumber(thousandths: $0)) } ?? .null,
            "orders": .integer(orders), "refunds_due": refundsDue?.json ?? .null,
            "dead_letters": .integer(deadLetters), "replays_wanted": .integer(requestedReplays),
            "drift": drift?.json ?? .null,
            "subscribers": .integer(subscribers), "outcomes": .array(outcomes.map(\.json)),
        ])
    }
}

extension RefundsDue {
    fileprivate var json: JSONValue {
        .members([
            "count": .integer(refunds), "unknown_amounts": .integer(unknownAmounts),
            "currencies": .array(
                sums.map { sum in
                    .members([
                        "currency": .text(sum.currency), "count": .integer(sum.refunds), "amount": .integer(sum.amount),
                    ])
                }),
        ])
    }
}

extension StoreStatus.Drift {
    fileprivate var json: JSONValue {
        switch self {
        case .counters(let counters, let comparedAt):
            .members(["counters": .integer(counters), "compared_at": .string(comparedAt)])
        case .unknown(let why):
            .members(["detail": .string(why)])
        }
    }
}
