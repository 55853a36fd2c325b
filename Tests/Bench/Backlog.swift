import Foundation
import Ingest
import Domain
import RedisClient

/// Messages that wait on the stream; kept under a separate key, from which each round's stream is copied.
struct Backlog: Sendable {
    let key: String
    let count: Int
    /// Order lines.
    let lines: Int
}

extension Workshop {
    private static let publishedAtOnce = 1_000

    /// Publishes the next messages of `maker` to the stream.
    func publish(_ count: Int, from maker: inout OrderMaker) async throws {
        var left = count
        while left > 0 {
            let commands = (0..<min(left, Self.publishedAtOnce)).map { _ in addCommand(maker.next()) }
            try await client.sendAll(commands)
            left -= commands.count
        }
    }

    func addCommand(_ payload: [UInt8]) -> RedisCommand {
        StreamWriter.add(
            StreamWriter.fields(type: Command.Kind.placeOrder.rawValue, payload: payload), to: keys)
    }

    /// - Parameter name: The name in the key under which it is kept.
    func backlog(_ name: String, _ count: Int, from maker: OrderMaker) async throws -> Backlog {
        try await clearStore()
        var maker = maker
        try await publish(count, from: &maker)
        return try await keepBacklog(name, count: count, lines: count)
    }

    /// Keeps a copy of the stream's current content.
    func keepBacklog(_ name: String, count: Int, lines: Int) async throws -> Backlog {
        let backlog = Backlog(key: "backlog:\(name)", count: count, lines: lines)
        try await redis.command("RENAME", keys.checkouts, backlog.key)
        return backlog
    }

    /// Restores the stream as published, unread, and without counters.
    /// - Parameter ledger: A ledger whose contents count as announced; `nil` if the measurement includes announcing.
    func restore(_ backlog: Backlog, announcing ledger: String? = nil) async throws {
        try await clearStore()
        if let ledger {
            try await run(["consume", "--until-idle"], ledger: ledger)
            _ = try await client.send(RedisCommand("UNLINK", keys.checkouts))
        }
        _ = try await client.send(RedisCommand("COPY", backlog.key, keys.checkouts))
        let length = try await client.send(RedisCommand("XLEN", keys.checkouts)).int ?? 0
        guard length == Int64(backlog.count) else {
            throw BenchError(
                "preparing the messages failed: on \(backlog.key): \(length) of \(backlog.count) are there. Is Redis short of memory?"
            )
        }
    }

    func clearStore() async throws {
        _ = try await client.send(RedisCommand("UNLINK", keys.checkouts, keys.stock, keys.outcomes))
    }

    func drop(_ backlogs: Backlog...) async throws {
        for backlog in backlogs { _ = try await client.send(RedisCommand("UNLINK", backlog.key)) }
    }
}

extension RedisClient {
    /// Sends commands, none of which may fail.
    func sendAll(_ commands: [RedisCommand]) async throws {
        for (command, reply) in zip(commands, try await pipeline(commands)) {
            if case .error(let error) = reply { throw RedisError.reply(error, command: command.name) }
        }
    }
}
