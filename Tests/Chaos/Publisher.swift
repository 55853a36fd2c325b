import Randomness
import RedisClient
import TestSupport

/// Sends messages straight to Redis, and again what has no record after a while.
struct Publisher {
    let shop: ChaosShop
    var maker: MessageMaker
    var generator: SeededGenerator
    let history: SentHistory
    let journal: ChaosJournal

    /// Makes and sends messages until the time is over.
    mutating func publish(until end: ContinuousClock.Instant) async throws {
        let client = shop.redis.client()
        while ContinuousClock.now < end {
            if history.unrecordedCount < ChaosSettings.backlogLimit {
                let messages = (0..<Int.random(in: 1...14, using: &generator)).flatMap { _ in maker.next() }
                for message in messages { journal.count("messages", message.kind) }
                await send(messages, over: client)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...120, using: &generator)))
        }
        await send(maker.rest(), over: client)
        await client.close()
    }

    /// Notes the messages before anything is sent: whatever becomes of it, they are ours to send again.
    private func send(_ messages: [Message], over client: RedisClient) async {
        history.sending(messages)
        await Self.add(messages, to: shop, over: client)
    }

    /// Answers that do not come are no matter: a message without a record is sent again.
    private static func add(_ messages: [Message], to shop: ChaosShop, over client: RedisClient) async {
        let commands = messages.map { message in
            var command = RedisCommand("XADD")
            command.append(shop.keys.checkouts)
            command.append("*")
            for field in message.fields { command.append(field) }
            return command
        }
        _ = try? await client.pipeline(commands, timeout: .seconds(3))
    }

    /// Looks at the ledger again and again, and sends what it lacks.
    static func sendAgain(
        _ history: SentHistory, to shop: ChaosShop, journal: ChaosJournal, patience: Duration
    ) async throws {
        let client = shop.redis.client()
        while !Task.isCancelled {
            // A ledger that cannot be read now can be later.
            try? history.look(at: shop.rows)
            let due = history.due(patience: patience, limit: 400)
            if !due.isEmpty {
                journal.count("messages", "sent again", due.count)
                journal.note("sending \(due.count) messages again")
                history.sending(due)
                await add(due, to: shop, over: client)
            }
            do { try await Task.sleep(for: .milliseconds(250)) } catch { break }
        }
        await client.close()
    }
}
