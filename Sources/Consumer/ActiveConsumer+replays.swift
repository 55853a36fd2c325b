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
    /// Dead letters published again, by their numbers.
    private var published: [Int64: (next: ContinuousClock.Instant, backoff: Duration)] = [:]
    /// The same by what their entries look like.
    private var numbers: [[UInt8]: [Int64]] = [:]

    /// After how long one that has not come back is published once more, at first. Redis may have lost it; more likely
    /// much is in the stream before it, so the time doubles.
    private static let patience = Duration.seconds(30)
    /// Dead letters published at a time.
    static let limit = 500

    var isEmpty: Bool { numbers.isEmpty }

    /// Those of `wanted` that are to be published now.
    mutating func due(_ wanted: [RecordedDeadLetter]) -> [RecordedDeadLetter] {
        let now = ContinuousClock.now
        let stillWanted = Set(wanted.map(\.number))
        published = published.filter { stillWanted.contains($0.key) }
        numbers = Dictionary(grouping: wanted, by: \.fingerprint).mapValues { $0.map(\.number) }
        return wanted.filter { letter in published[letter.number].map { $0.next <= now } ?? true }
    }

    mutating func notePublished(_ number: Int64) {
        let backoff = published[number].map { $0.backoff * 2 } ?? Self.patience
        published[number] = (.now + backoff, backoff)
    }

    /// Dead letters whose messages came back with the entries of this batch.
    ///
    /// An entry that is a dead letter already is no message that came back: it is the old one, read once more because a
    /// crash left it pending. Taken for the new one, it would end the wish with nothing done.
    func numbers(of batch: PreparedBatch) -> [Int64] {
        if isEmpty { return [] }
        return zip(batch.entries, batch.plans).flatMap { entry, plan in
            if case .known(let outcome) = plan, outcome.kind == .deadLetter { return [Int64]() }
            return numbers[entry.fingerprint] ?? []
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
        var numbers: [Int64] = []
        var commands: [RedisCommand] = []
        for letter in due {
            let fields =
                letter.fields.flatMap { StreamEntry.fields(decoding: $0) }
                ?? StreamEntry.fields(type: letter.type, payload: letter.payload)
            numbers.append(letter.number)
            commands.append(StreamWriter.add(fields, to: counters.keys))
        }
        if commands.isEmpty { return !wanted.isEmpty }
        Failpoint.replayBefore.pass()
        do {
            for (number, reply) in zip(numbers, try await redis.pipeline(commands)) {
                if case .error(let error) = reply { throw RedisError.reply(error, command: "XADD") }
                replays.notePublished(number)
            }
            logger.notice("dead letters published again", metadata: ["count": "\(numbers.count)"])
        } catch {
            // Again in a second; one that is published twice is a replay.
            if case .fatal = RedisTrouble(error) { throw error }
            logger.warning("dead letters could not be published again", metadata: ["error": "\(error)"])
        }
        Failpoint.replayAfter.pass()
        return true
    }
}
