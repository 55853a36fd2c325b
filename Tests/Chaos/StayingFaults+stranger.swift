import RedisClient
import TestSupport

/// A stranger that reads in the consumers' group, with redis-cli for instance, and processes nothing: entries delivered
/// to it are pending, and in the memory of no consumer.
extension StayingFaults {
    /// Sends messages whose result does not depend on their order: those that the stranger takes are decided later.
    mutating func letStrangerRead(_ time: Duration) async throws {
        try await traffic.close(.ordinary)
        try await traffic.close(.once)
        defer {
            traffic.open(.ordinary)
            traffic.open(.once)
        }
        // Nothing else is sent in the meantime, including republished dead letters. Messages that Redis refused are
        // resent.
        traffic.open(.again)
        do {
            try await eventually(within: ChaosSettings.quietLimit, "everything sent to be processed") {
                guard history.unrecordedCount == 0, let waiting = try? await shop.unfinished() else { return false }
                return waiting == 0
            }
        } catch let error as TestSupportError {
            return journal.violation(.everythingFinishes, "\(error)")
        }
        try await traffic.close(.again)
        strangers += 1
        let sending = Task { [shop, history, journal, strangers] in
            let client = shop.redis.client()
            var number = 0
            while !Task.isCancelled {
                let messages = (0..<Self.messagesAtATime).map { _ in
                    number += 1
                    return MessageMaker.plainOrder("\(LedgerContents.unordered)\(strangers)-\(number)")
                }
                history.sending(messages, repeats: false)
                journal.count("messages", "order amid strangers", messages.count)
                await Publisher.add(messages, to: shop, over: client, history, journal)
                try? await Task.sleep(for: Self.messageInterval)
            }
            await client.close()
        }
        defer { sending.cancel() }
        let taken = try await takeEntries(for: time)
        if taken.isEmpty { journal.violation(.chaos, "the stranger got no entry") }
        journal.count("messages", "taken by a stranger", taken.count)
        try await waitForStrays(taken)
        sending.cancel()
        await sending.value
    }

    private static let messagesAtATime = 5
    /// Far shorter than a read waits: the stream never pauses.
    private static let messageInterval = Duration.milliseconds(60)

    private typealias Stray = (id: String, fields: [[UInt8]], since: ContinuousClock.Instant)

    private func takeEntries(for time: Duration) async throws -> [Stray] {
        let client = shop.redis.client()
        let end = ContinuousClock.now + time
        var taken: [Stray] = []
        while ContinuousClock.now < end {
            let command = RedisCommand(
                "XREADGROUP", "GROUP", StoreGroup.name, "stranger", "COUNT", "3", "BLOCK", "200", "STREAMS",
                shop.keys.checkouts, ">")
            let reply = try await client.send(command, timeout: .seconds(5))
            for entry in reply.array?.first?.array?.last?.array ?? [] {
                guard let pair = entry.array, pair.count == 2, let id = pair[0].string, let fields = pair[1].array
                else { continue }
                taken.append((id, fields.map { $0.bytes ?? [] }, .now))
            }
            try await Task.sleep(for: .milliseconds(400))
        }
        await client.close()
        return taken
    }

    private func waitForStrays(_ taken: [Stray]) async throws {
        for stray in taken {
            while !history.isRecorded(stray.fields) {
                if ContinuousClock.now - stray.since > ChaosSettings.strayLimit {
                    journal.violation(
                        .everythingFinishes,
                        "entry \(stray.id), which a stranger took, has no record after \(ChaosSettings.strayLimit)")
                    break
                }
                try await Task.sleep(for: .milliseconds(50))
                try? history.look(at: shop.rows)
            }
        }
    }
}
