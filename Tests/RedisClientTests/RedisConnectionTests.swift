import RedisClient
import TestSupport
import Testing

@Suite("A connection")
struct RedisConnectionTests {
    /// A test that hangs fails with its name.
    static let options: RedisOptions = {
        var options = RedisOptions()
        options.commandTimeout = .seconds(30)
        return options
    }()

    private func withConnection<R>(_ body: (RedisConnection) async throws -> R) async throws -> R {
        try await withRedisServer { server async throws in
            let connection = try await RedisConnection.connect(to: server.url, options: Self.options)
            let result = try await body(connection)
            await connection.close()
            return result
        }
    }

    @Test("sends commands and returns their replies, of every kind")
    func commands() async throws {
        try await withConnection { redis async throws in
            #expect(try await redis.send(RedisCommand("SET", "k", "v")) == .simple("OK"))
            #expect(try await redis.send(RedisCommand("GET", "k")).string == "v")
            #expect(try await redis.send(RedisCommand("GET", "nothing")) == .null)
            #expect(try await redis.send(RedisCommand("INCRBY", "n", "41")) == .integer(41))
            #expect(try await redis.send(RedisCommand("HSET", "h", "a", "7", "b", "x")) == .integer(2))
            let fields = try await redis.send(RedisCommand("HMGET", "h", "a", "c"))
            #expect(fields.array?.map(\.int) == [7, nil])
            #expect(try await redis.send(RedisCommand("LRANGE", "nothing", "0", "-1")) == .array([]))
            #expect(try await redis.send(RedisCommand("XREAD", "STREAMS", "nothing", "0")) == .null)
            #expect(try await redis.send(RedisCommand("CLIENT GETNAME")).string == "stocktake")
        }
    }

    @Test("transfers any bytes, in both directions")
    func binarySafety() async throws {
        try await withConnection { redis async throws in
            let bytes = (0...255).map { UInt8($0) } + Array("\r\n$3\r\n".utf8)
            var set = RedisCommand("SET", capacity: 600)
            set.append(bytes)
            set.append(bytes)
            #expect(try await redis.send(set) == .simple("OK"))
            var get = RedisCommand("GET", capacity: 300)
            get.append(bytes)
            #expect(try await redis.send(get) == .bulk(bytes))
            #expect(try await redis.send(RedisCommand("SET", "", "")) == .simple("OK"))
            #expect(try await redis.send(RedisCommand("GET", "")) == .bulk([]))
        }
    }

    @Test("transfers a value of 16 MiB and a command of 100,000 arguments")
    func bigReplies() async throws {
        try await withConnection { redis async throws in
            let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let value = [UInt8](repeatElement(block, count: 256).joined())
            var set = RedisCommand("SET", capacity: value.count)
            set.append("big")
            set.append(value)
            #expect(try await redis.send(set) == .simple("OK"))
            #expect(try await redis.send(RedisCommand("GET", "big")).bytes == value)

            var push = RedisCommand("RPUSH", capacity: 1 << 20)
            push.append("list")
            for number in 0..<100_000 { push.append(number) }
            #expect(try await redis.send(push) == .integer(100_000))
            let list = try await redis.send(RedisCommand("LRANGE", "list", "0", "-1")).array
            #expect(list?.count == 100_000)
            #expect(list?.enumerated().allSatisfy { $0.element.int == Int64($0.offset) } == true)
        }
    }

    @Test("pipelines 10,000 commands, and returns replies in order, errors among them")
    func pipelines() async throws {
        try await withConnection { redis async throws in
            var commands: [RedisCommand] = []
            for number in 0..<10_000 {
                commands.append(number % 100 == 7 ? RedisCommand("HGET", "n", "f") : RedisCommand("INCR", "n"))
            }
            let replies = try await redis.pipeline(commands)
            #expect(replies.count == 10_000)
            var expected: Int64 = 0
            for (number, reply) in replies.enumerated() {
                if number % 100 == 7 {
                    // Before the first INCR there would be no error; 7 is set later.
                    guard case .error(let error) = reply else {
                        Issue.record("no error at \(number)")
                        return
                    }
                    #expect(error.code == "WRONGTYPE")
                } else {
                    expected += 1
                    #expect(reply == .integer(expected))
                }
            }
            #expect(try await redis.pipeline([]) == [])
            #expect(try await redis.pipeline([RedisCommand("PING")]) == [.simple("PONG")])
        }
    }

    @Test("pipelines commands of several MiB")
    func largePipelines() async throws {
        try await withConnection { redis async throws in
            let value = [UInt8](repeating: 120, count: 700_000)
            let commands = (0..<12).map { number in
                var command = RedisCommand("APPEND", capacity: value.count)
                command.append("key")
                command.append(number.isMultiple(of: 3) ? value : [121])
                return command
            }
            let replies = try await redis.pipeline(commands)
            #expect(replies.last == .integer(4 * 700_000 + 8))
            #expect(replies.compactMap(\.int) == replies.compactMap(\.int).sorted())
        }
    }

    @Test("returns nested replies, as deep as a script or a stream makes them")
    func nesting() async throws {
        try await withConnection { redis async throws in
            let script = "return {1, {2, {3, {4, {5, {6, {'x'}}}}}}, redis.error_reply('ODD one'), false}"
            let reply = try await redis.send(RedisCommand("EVAL", script, "0"))
            var level = reply
            for depth in 1...6 {
                #expect(level.array?.first == .integer(Int64(depth)))
                level = try #require(level.array?[1])
            }
            #expect(level == .array([.bulk([120])]))
            #expect(reply.array?[2] == .error(RedisReplyError(code: "ODD", message: "ODD one")))
            #expect(reply.array?[3] == .null)
            _ = try await redis.send(RedisCommand("XADD", "s", "1-1", "f", "v"))
            _ = try await redis.send(RedisCommand("XGROUP CREATE", "s", "g", "0"))
            let entries = try await redis.send(RedisCommand("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"))
            #expect(entries.array?.first?.array?[1].array?.first?.array?[1].array?.map(\.string) == ["f", "v"])
            #expect(try await redis.send(RedisCommand("XINFO STREAM", "s", "FULL")).array?.isEmpty == false)
        }
    }

    @Test("throws error replies, and stays usable")
    func errorReplies() async throws {
        try await withConnection { redis async throws in
            _ = try await redis.send(RedisCommand("SET", "k", "v"))
            let expected: [(RedisCommand, String)] = [
                (RedisCommand("HGET", "k", "f"), "WRONGTYPE"),
                (RedisCommand("EVALSHA", String(repeating: "0", count: 40), "0"), "NOSCRIPT"),
                (RedisCommand("NOSUCH", "hunter2"), "ERR"),
                (RedisCommand("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"), "NOGROUP"),
                (RedisCommand("EVAL", "return redis.error_reply('FENCED epoch 3')", "0"), "FENCED"),
            ]
            for (command, code) in expected {
                await #expect {
                    try await redis.send(command)
                } throws: { error in
                    guard case RedisError.reply(let reply, let name) = error else { return false }
                    return reply.code == code && name == command.name && !"\(error)".contains("hunter2")
                }
            }
            #expect(redis.isOpen)
            #expect(try await redis.send(RedisCommand("GET", "k")).string == "v")
        }
    }

    @Test("returns to each of many concurrent senders its own reply")
    func concurrentSenders() async throws {
        try await withConnection { redis async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<100 {
                    group.addTask {
                        for round in 0..<50 {
                            let text = "\(sender):\(round)"
                            if round % 10 == 3 {
                                let echoes = (0..<5).map { RedisCommand("ECHO", "\(text):\($0)") }
                                let replies = try await redis.pipeline(echoes)
                                #expect(replies.map(\.string) == (0..<5).map { "\(text):\($0)" })
                            } else {
                                #expect(try await redis.send(RedisCommand("ECHO", text)).string == text)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// | task            | connection                 | server                  |
    /// |-----------------|----------------------------|-------------------------|
    /// | BLPOP, 30 s     | sent                       | blocked                 |
    /// | cancelled: ends | keeps the place            | blocked                 |
    /// | ECHO            | sent                       | waits behind BLPOP      |
    /// |                 |                            | RPUSH by another client |
    /// |                 | BLPOP's reply: dropped     | answers BLPOP, ECHO     |
    /// | gets its ECHO   | ECHO's reply: delivered    |                         |
    @Test("keeps replies paired when a waiting task is cancelled")
    func cancellation() async throws {
        try await withRedisServer { server async throws in
            let redis = try await RedisConnection.connect(to: server.url, options: Self.options)
            let blocked = Task { try await redis.send(RedisCommand("BLPOP", "list", "30")) }
            try await eventually("BLPOP to arrive") {
                try await server.command("CLIENT", "LIST").string?.contains("cmd=blpop") == true
            }
            blocked.cancel()
            await #expect(throws: CancellationError.self) { try await blocked.value }
            #expect(redis.isOpen)
            async let echo = redis.send(RedisCommand("ECHO", "mine"))
            async let echoes = redis.pipeline([RedisCommand("ECHO", "a"), RedisCommand("ECHO", "b")])
            try await server.command("RPUSH", "list", "not mine")
            #expect(try await echo.string == "mine")
            #expect(try await echoes.map(\.string) == ["a", "b"])
            await redis.close()
        }
    }

    @Test("keeps replies paired when many tasks are cancelled at any moment")
    func manyCancellations() async throws {
        try await withConnection { redis async throws in
            await withTaskGroup(of: Void.self) { group in
                for sender in 0..<400 {
                    let task = Task {
                        for round in 0..<20 {
                            let text = "\(sender):\(round)"
                            let reply = try await redis.send(RedisCommand("ECHO", text))
                            #expect(reply.string == text)
                        }
                    }
                    group.addTask {
                        for _ in 0..<sender % 20 { await Task.yield() }
                        if sender % 2 == 0 { task.cancel() }
                        do { try await task.value } catch { #expect(error is CancellationError) }
                    }
                }
            }
            #expect(try await redis.send(RedisCommand("ECHO", "last")).string == "last")
        }
    }

    @Test("sends nothing for a task that is already cancelled")
    func cancelledBefore() async throws {
        try await withRedisServer { server async throws in
            let redis = try await RedisConnection.connect(to: server.url, options: Self.options)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await redis.send(RedisCommand("INCR", "n"))
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await redis.send(RedisCommand("GET", "n")) == .null)
            await redis.close()
        }
    }

    @Test("closed on this side sends nothing any more, and fails commands in flight")
    func closing() async throws {
        try await withRedisServer { server async throws in
            let redis = try await RedisConnection.connect(to: server.url, options: Self.options)
            let blocked = Task { try await redis.send(RedisCommand("BLPOP", "list", "30")) }
            try await eventually("BLPOP to arrive") {
                try await server.command("CLIENT", "LIST").string?.contains("cmd=blpop") == true
            }
            await redis.close()
            await redis.close()
            #expect(!redis.isOpen)
            await #expect {
                try await blocked.value
            } throws: { error in
                guard case RedisError.connectionLost = error else { return false }
                return (error as? RedisError)?.mayHaveExecuted == true
            }
            await #expect(throws: RedisError.notSent(to: server.url.redacted, reason: "it was closed on this side")) {
                try await redis.send(RedisCommand("PING"))
            }
        }
    }

    @Test("is closed when its last reference is released")
    func release() async throws {
        try await withRedisServer { server async throws in
            func clients() async throws -> Int {
                try await server.command("CLIENT", "LIST").string?.split(separator: "\n").count ?? 0
            }
            let before = try await clients()
            do {
                let redis = try await RedisConnection.connect(to: server.url)
                #expect(try await clients() == before + 1)
                _ = redis.isOpen
            }
            try await eventually("the connection to be closed") { try await clients() == before }
        }
    }
}
