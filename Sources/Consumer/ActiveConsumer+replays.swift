import Failpoints
import Intake
import Inventory
import Ledger
import RedisClient

/// Dead letters that the ledger wants published again: what an operator asked for, and cancellations whose order has
/// come.
///
/// The wish stands in the ledger until the message has come back and is recorded, as whatever it becomes. So it
/// outlives a crash of anybody; published twice, it is a replay.
struct Replays {
    private struct Sent {
        /// The entry it became; nil: sending failed, or is in doubt.
        var entry: String?
        /// When it is looked after.
        var next: ContinuousClock.Instant
    }

    /// Dead letters published again, by their numbers.
    private var sent: [Int64: Sent] = [:]
    /// The same by what their entries look like.
    private(set) var numbers: [[UInt8]: [Int64]] = [:]

    /// After how long one that has not come back is looked after: Redis may have lost it.
    private static let patience = Duration.seconds(30)
    /// After how long one that could not be sent is tried again.
    private static let retry = Duration.seconds(1)
    /// Dead letters published at a time.
    static let limit = 500

    /// Those of `wanted` that are to be published now, or looked after: with the entry they became.
    mutating func due(_ wanted: [WantedReplay]) -> [(number: Int64, entry: String?)] {
        let now = ContinuousClock.now
        let stillWanted = Set(wanted.map(\.number))
        sent = sent.filter { stillWanted.contains($0.key) }
        numbers = Dictionary(grouping: wanted, by: \.fingerprint).mapValues { $0.map(\.number) }
        return wanted.map(\.number).filter { number in sent[number].map { $0.next <= now } ?? true }
            .map { ($0, sent[$0]?.entry) }
    }

    mutating func note(_ number: Int64, entry: String) {
        sent[number] = Sent(entry: entry, next: .now + Self.patience)
    }

    /// Not all of them could be sent.
    mutating func noteFailure(_ numbers: [Int64]) {
        let now = ContinuousClock.now
        for number in numbers where sent[number].map({ $0.next <= now }) ?? true {
            sent[number] = Sent(entry: sent[number]?.entry, next: now + Self.retry)
        }
    }
}

extension ActiveConsumer {
    /// Publishes what is wanted and due.
    /// - Returns: whether anything is wanted, published now or before.
    @discardableResult
    func publishReplays() async throws -> Bool {
        let wanted = try await untilLedgerAnswers { [ledger] in
            try await ledger.replaysWanted(limit: Replays.limit)
        }
        let due = replays.due(wanted)
        if due.isEmpty { return !wanted.isEmpty }
        Failpoint.replayBefore.pass()
        do {
            // One after the other: together their bytes may be many.
            for (number, entry) in due { try await publish(number, before: entry) }
            logger.notice("dead letters published again", metadata: ["count": "\(due.count)"])
        } catch {
            // Again in a second; one that is published twice is a replay.
            if case .fatal = RedisTrouble(error) { throw error }
            replays.noteFailure(due.map(\.number))
            logger.warning("dead letters could not be published again", metadata: ["error": "\(error)"])
        }
        Failpoint.replayAfter.pass()
        return true
    }

    /// - Parameter entry: what it became when it was published before. While that waits to be read, or to be processed, it
    ///   is not published once more.
    private func publish(_ number: Int64, before entry: String?) async throws {
        if let entry {
            let isWaiting = try await StreamWriter.isUnread(entry, keys: counters.keys, client: redis)
            if isWaiting || !isQueueEmpty { return replays.note(number, entry: entry) }
        }
        let letter = try await untilLedgerAnswers { [ledger] in try await ledger.deadLetter(number) }
        let fields =
            letter?.fields.flatMap { StreamEntry.fields(decoding: $0) }
            ?? StreamEntry.fields(type: letter?.type, payload: letter?.payload)
        // Without its bytes there is nothing to send; the command that removes them refuses while it is wanted.
        if fields.isEmpty { return replays.noteFailure([number]) }
        let reply = try await redis.send(StreamWriter.add(fields, to: counters.keys))
        replays.note(number, entry: reply.string ?? "")
    }
}
