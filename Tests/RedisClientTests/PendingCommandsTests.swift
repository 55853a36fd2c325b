import NIOCore
import Testing

@testable import RedisClient

/// Replies carry no identification: they are paired with commands by their order alone.
@Suite(.timeLimit(.minutes(1))) struct PendingCommandsTests {
    /// A caller that already waits for its result.
    private struct Caller<Value: Sendable> {
        let promise: ReplyPromise<Value>
        let result: Task<Value, any Error>

        init() async {
            let promise = ReplyPromise<Value>()
            let (started, continuation) = AsyncStream<Never>.makeStream()
            result = Task { try await promise.value { continuation.finish() } }
            for await _ in started {}
            self.promise = promise
        }

        var isUnanswered: Bool { !promise.isOver }
    }

    private func integer(_ number: Int64) -> FlatReply {
        FlatReply(tokens: [FlatReply.Token(kind: .integer, number: number)], bytes: [])
    }

    private func failure(_ text: String) -> FlatReply {
        let bytes = Array(text.utf8)
        return FlatReply(tokens: [FlatReply.Token(kind: .error, number: Int64(bytes.count))], bytes: bytes)
    }

    private func command(_ name: String, _ caller: Caller<FlatReply>) -> PendingCommand {
        PendingCommand(name: name, timeout: .seconds(1), waiter: .one(caller.promise))
    }

    private func pipeline(_ name: String, of count: Int, _ caller: Caller<[FlatReply]>) -> PendingCommand {
        PendingCommand(name: name, timeout: .seconds(1), waiter: .many(caller.promise, count: count))
    }

    @Test("gives each command the reply at its place, and throws an error reply")
    func order() async throws {
        var pending = PendingCommands()
        let (first, second, third) = await (Caller<FlatReply>(), Caller<FlatReply>(), Caller<FlatReply>())
        for (name, caller) in [("GET", first), ("SET", second), ("INCR", third)] {
            pending.append(command(name, caller), deadline: .distantFuture)
        }
        let received1 = [pending.receive(integer(1))]
        #expect(received1 == [true])
        #expect(second.isUnanswered)
        let received2 = [pending.receive(failure("OOM it is full"))]
        #expect(received2 == [true])
        let received3 = [pending.receive(integer(3))]
        #expect(received3 == [true])
        #expect(try await first.result.value.value == .integer(1))
        await #expect(throws: RedisError.reply(RedisReplyError(message: "OOM it is full"), command: "SET")) {
            try await second.result.value
        }
        #expect(try await third.result.value.value == .integer(3))
    }

    @Test("collects the replies to a pipeline, errors among them, before the next command gets one")
    func pipelines() async throws {
        var pending = PendingCommands()
        let (many, one) = await (Caller<[FlatReply]>(), Caller<FlatReply>())
        pending.append(pipeline("HGET", of: 3, many), deadline: .distantFuture)
        pending.append(command("PING", one), deadline: .distantFuture)
        let received4 = [pending.receive(integer(1)), pending.receive(failure("ERR no"))]
        #expect(received4 == [true, true])
        #expect(many.isUnanswered)
        let received5 = [pending.receive(integer(3)), pending.receive(integer(4))]
        #expect(received5 == [true, true])
        let replies = try await many.result.value
        #expect(replies.map(\.value) == [.integer(1), .error(RedisReplyError(message: "ERR no")), .integer(3)])
        #expect(try await one.result.value.value == .integer(4))
    }

    @Test("has no command for a reply that answers none")
    func stray() async throws {
        var pending = PendingCommands()
        let received6 = [pending.receive(integer(1))]
        #expect(received6 == [false])
        let caller = await Caller<FlatReply>()
        pending.append(command("PING", caller), deadline: .distantFuture)
        let received7 = [pending.receive(integer(1))]
        #expect(received7 == [true])
        let received8 = [pending.receive(integer(2))]
        #expect(received8 == [false])
        #expect(try await caller.result.value.value == .integer(1))
    }

    @Test("drops the reply to a caller that was cancelled, and keeps the order of the others")
    func cancelled() async throws {
        var pending = PendingCommands()
        let (gone, waiting) = await (Caller<FlatReply>(), Caller<FlatReply>())
        pending.append(command("GET", gone), deadline: .distantFuture)
        pending.append(command("SET", waiting), deadline: .distantFuture)
        gone.result.cancel()
        await #expect(throws: CancellationError.self) { try await gone.result.value }
        let received9 = [pending.receive(integer(1)), pending.receive(integer(2))]
        #expect(received9 == [true, true])
        #expect(try await waiting.result.value.value == .integer(2))
    }

    @Test("fails overdue commands with a timeout and the others with the reason, telling the first the last words")
    func failures() async throws {
        var pending = PendingCommands()
        let now = NIODeadline.now()
        let (many, late, other) = await (Caller<[FlatReply]>(), Caller<FlatReply>(), Caller<FlatReply>())
        pending.append(pipeline("HGET", of: 2, many), deadline: now + .seconds(2))
        pending.append(command("GET", late), deadline: now)
        pending.append(command("SET", other), deadline: now + .seconds(1))
        #expect(pending.earliestDeadline == now)
        let received10 = [pending.receive(failure("ERR max number of clients reached"))]
        #expect(received10 == [true])
        pending.failAll(server: "redis", now: now) { isFirst, lastWords in
            .connectionLost(to: "redis", reason: "\(isFirst) \(lastWords ?? "-")")
        }
        await #expect(
            throws: RedisError.connectionLost(to: "redis", reason: "true ERR max number of clients reached")
        ) { try await many.result.value }
        await #expect(throws: RedisError.timedOut(to: "redis", command: "GET", after: .seconds(1))) {
            try await late.result.value
        }
        await #expect(throws: RedisError.connectionLost(to: "redis", reason: "false -")) {
            try await other.result.value
        }
        let received11 = [pending.receive(integer(1))]
        #expect(received11 == [false])
        #expect(pending.earliestDeadline == nil)
    }
}
