import Randomness
import RedisClient
import TestSupport

/// Sends messages directly to Redis.
struct Publisher {
    let shop: ChaosShop
    var maker: MessageMaker
    var generator: SeededGenerator
    let history: SentHistory
    let journal: ChaosJournal
    let traffic: Traffic
    let publishers: Traffic.Publishers

    /// Makes and sends messages until the traffic ends, whenever these publishers may.
    mutating func publish() async throws {
        let client = shop.redis.client()
        while !traffic.isOver {
            if history.unrecordedCount < ChaosSettings.backlogLimit {
                await traffic.send(publishers) {
                    let messages = (0..<Int.random(in: 1...14, using: &generator)).flatMap { _ in maker.next() }
                    await send(messages, over: client)
                }
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...120, using: &generator)))
        }
        if publishers == .ordinary { await send(maker.rest(), over: client) }
        await client.close()
    }

    /// Notes the messages before anything is sent: whatever happens to it, they must be resent by us.
    private func send(_ messages: [Message], over client: RedisClient) async {
        for message in messages { journal.count("messages", message.kind) }
        if publishers == .once { journal.count("messages", "never sent again", messages.count) }
        history.sending(messages, repeats: publishers == .ordinary)
        await Self.add(messages, to: shop, over: client, history, journal)
    }

    /// Missing replies do not matter: a message without a record is resent, or may be lost.
    static func add(
        _ messages: [Message], to shop: ChaosShop, over client: RedisClient, _ history: SentHistory,
        _ journal: ChaosJournal
    ) async {
        let commands = messages.map { message in
            var command = RedisCommand("XADD")
            command.append(shop.keys.checkouts)
            command.append("*")
            for field in message.fields { command.append(field) }
            return command
        }
        let replies = (try? await client.pipeline(commands, timeout: .seconds(3))) ?? []
        for case .error(let error) in replies { journal.count("refused by Redis", error.code) }
        let accepted = messages.indices.map { $0 < replies.count && replies[$0].string != nil }
        history.answered(messages, accepted: accepted)
        journal.count("taken by Redis", "messages", accepted.count { $0 })
    }

    /// Polls the ledger repeatedly, and resends messages that it lacks.
    static func sendAgain(
        _ history: SentHistory, to shop: ChaosShop, journal: ChaosJournal, traffic: Traffic
    ) async throws {
        let client = shop.redis.client()
        while !Task.isCancelled {
            // A ledger that cannot be read now can be read later.
            try? history.look(at: shop.rows)
            let patience = traffic.isHurried ? ChaosSettings.hurriedPatience : ChaosSettings.patience
            let due = history.due(patience: patience, limit: 400)
            if !due.isEmpty {
                await traffic.send(.again) {
                    journal.count("messages", "sent again", due.count)
                    journal.note("resending \(due.count) messages")
                    history.sending(due, repeats: true)
                    await add(due, to: shop, over: client, history, journal)
                }
            }
            do { try await Task.sleep(for: .milliseconds(250)) } catch { break }
        }
        await client.close()
    }
}
