import Failpoints
import Ingest
import Domain
import Ledger
import Logging

/// Publishes again the dead letters whose replay is requested in the ledger (`Replays`).
struct ReplayPublisher: Sendable {
    let ledger: any LedgerStore
    let publisher: any MessagePublisher
    let retrier: Retrier

    func publish(_ due: [Replays.Due]) async throws -> PublishedReplays {
        Failpoint.replayBefore.pass()
        var published = PublishedReplays()
        do {
            // They are published one at a time, because together they may be large.
            for each in due {
                if let entry = try await publish(each) {
                    published.sent[each.number] = entry
                } else {
                    published.failed.append(each.number)
                }
            }
            if !published.sent.isEmpty {
                retrier.logger.notice(
                    "dead letters published again", metadata: ["count": "\(published.sent.count)"])
            }
        } catch {
            // They are retried in a second. A message that is published twice is a replay.
            if case .fatal = RedisErrorClass(error) { throw error }
            published.failed = due.map(\.number).filter { published.sent[$0] == nil }
            retrier.logger.warning(
                "dead letters could not be published again", metadata: ["error": "\(error)"])
        }
        Failpoint.replayAfter.pass()
        return published
    }

    /// - Returns: the id of the new entry; `nil` if there is nothing to send.
    private func publish(_ due: Replays.Due) async throws -> String? {
        if let entry = due.entry, try await publisher.isWaiting(entry) { return entry }
        let letter = try await retrier.ledger { [ledger] in try await ledger.deadLetter(due.number) }
        let fields =
            letter?.fields.flatMap { StreamEntry.fields(decoding: $0) }
            ?? StreamEntry.fields(type: letter?.type, payload: letter?.payload)
        // Without the message's bytes there is nothing to send; the command that removes them refuses while a replay is
        // requested.
        if fields.isEmpty { return nil }
        return try await publisher.publish(fields)
    }
}
