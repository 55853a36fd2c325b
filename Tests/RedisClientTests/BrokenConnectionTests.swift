import Glibc
import TestSupport
import Testing

@testable import RedisClient

/// The results of commands in flight when a connection fails.
@Suite("A broken connection")
struct BrokenConnectionTests {
    private func isLost(_ error: any Error) -> Bool {
        guard case RedisError.connectionLost = error else { return false }
        return (error as? RedisError)?.mayHaveExecuted == true
    }

    private func isNotSent(_ error: any Error) -> Bool {
        if case RedisError.notSent = error { (error as? RedisError)?.mayHaveExecuted == false } else { false }
    }

    /// Starts commands and pipelines that get no reply; returns their errors.
    private func failures(on redis: RedisConnection, when allSent: () async throws -> Void) async throws -> [any Error]
    {
        let tasks = (0..<20).map { number in
            Task {
                if number % 2 == 0 {
                    _ = try await redis.send(RedisCommand("BLPOP", "list", "60"), timeout: .seconds(60))
                } else {
                    _ = try await redis.pipeline(
                        [RedisCommand("ECHO", "a"), RedisCommand("ECHO", "b")], timeout: .seconds(60))
                }
            }
        }
        try await allSent()
        var errors: [any Error] = []
        for task in tasks {
            do {
                try await task.value
                Issue.record("a reply came")
            } catch {
                errors.append(error)
            }
        }
        return errors
    }

    @Test("fails every command in flight when the server is killed, and later ones are not sent")
    func serverKilled() async throws {
        try await withRedisServer { server async throws in
            let redis = try await RedisConnection.connect(to: server.url)
            server.signal(SIGSTOP)
            let errors = try await failures(on: redis) { await server.kill() }
            for error in errors { #expect(isLost(error) || isNotSent(error), "\(error)") }
            try await eventually("the end to be noticed") { !redis.isOpen }
            await #expect {
                try await redis.send(RedisCommand("PING"))
            } throws: {
                isNotSent($0)
            }
        }
    }

    @Test("fails all commands that were sent and read with connectionLost")
    func inFlight() async throws {
        let server = try await FakeServer.start { _, command in command.first == "END" ? .close(after: "") : .silence }
        let redis = try await RedisConnection.connect(to: server.url)
        let errors = try await failures(on: redis) {
            try await eventually("all commands") { server.count(of: "BLPOP") == 10 && server.count(of: "ECHO") == 20 }
            await #expect {
                try await redis.send(RedisCommand("END"))
            } throws: {
                isLost($0)
            }
        }
        #expect(errors.count == 20)
        for error in errors { #expect(isLost(error), "\(error)") }
    }

    @Test(
        "is closed when the server violates the protocol",
        arguments: ["garbage\r\n", "*1\r\n%1\r\n", "$-5\r\n", String(repeating: "*1\r\n", count: 12) + ":1\r\n"])
    func violations(_ answer: String) async throws {
        let server = try await FakeServer.start { _, command in command.first == "NOW" ? .answer(answer) : .silence }
        let redis = try await RedisConnection.connect(to: server.url)
        let first = Task { try await redis.send(RedisCommand("FIRST")) }
        try await eventually("the first") { server.count(of: "FIRST") == 1 }
        let second = Task { try await redis.send(RedisCommand("NOW")) }
        await #expect {
            try await first.value
        } throws: { error in
            guard case RedisError.protocolViolation = error else { return false }
            return (error as? RedisError)?.mayHaveExecuted == true
        }
        await #expect {
            try await second.value
        } throws: {
            isLost($0)
        }
        #expect(!redis.isOpen)
    }

    @Test("is closed when an unsolicited reply arrives")
    func unsolicited() async throws {
        let server = try await FakeServer.start { _, _ in .answer("+OK\r\n+STRAY\r\n") }
        let redis = try await RedisConnection.connect(to: server.url)
        #expect(try await redis.send(RedisCommand("GET", "k")) == .simple("OK"))
        try await eventually("the connection to be closed") { !redis.isOpen }
        await #expect {
            try await redis.send(RedisCommand("GET", "k"))
        } throws: { error in
            isNotSent(error) && "\(error)".contains("belongs to no command")
        }
    }

    @Test("in the middle of a reply delivers no part of it", arguments: ["$10\r\nhalf", "*2\r\n:1\r\n", "+O", ":12"])
    func halfAReply(_ half: String) async throws {
        let server = try await FakeServer.start { _, _ in .close(after: half) }
        let redis = try await RedisConnection.connect(to: server.url)
        await #expect {
            try await redis.send(RedisCommand("GET", "k"))
        } throws: {
            isLost($0)
        }
    }

    @Test("in the middle of a pipeline fails all of it")
    func halfAPipeline() async throws {
        let server = try await FakeServer.start { _, command in
            command.last == "3" ? .close(after: "") : .answer("+OK\r\n")
        }
        let redis = try await RedisConnection.connect(to: server.url)
        await #expect {
            try await redis.pipeline((1...5).map { RedisCommand("SET", "k", "\($0)") })
        } throws: {
            isLost($0)
        }
    }

    @Test("results from replies that are too long")
    func tooLong() async throws {
        try await withRedisServer { server async throws in
            var options = RedisOptions()
            options.maximumReplyBytes = 100_000
            let redis = try await RedisConnection.connect(to: server.url, options: options)
            _ = try await redis.send(RedisCommand("SETRANGE", "k", "200000", "x"))
            await #expect {
                try await redis.send(RedisCommand("GET", "k"))
            } throws: { error in
                guard case RedisError.replyTooLarge(_, 100_000) = error else { return false }
                return (error as? RedisError)?.mayHaveExecuted == true
            }
        }
    }

    // MARK: Deadlines

    @Test("follows a command that gets no reply in time, and fails the other commands")
    func timeout() async throws {
        try await withRedisServer(["--enable-debug-command", "local"]) { server async throws in
            let redis = try await RedisConnection.connect(to: server.url)
            let patient = Task { try await redis.send(RedisCommand("BLPOP", "list", "60"), timeout: .seconds(60)) }
            try await eventually("BLPOP to arrive") {
                try await server.command("CLIENT", "LIST").string?.contains("cmd=blpop") == true
            }
            let start = ContinuousClock.now
            await #expect {
                try await redis.send(RedisCommand("DEBUG SLEEP", "1"), timeout: .milliseconds(200))
            } throws: { error in
                guard case RedisError.timedOut(server.url.redacted, "DEBUG SLEEP", .milliseconds(200)) = error else {
                    return false
                }
                return (error as? RedisError)?.mayHaveExecuted == true
            }
            #expect(ContinuousClock.now - start >= .milliseconds(200))
            await #expect {
                try await patient.value
            } throws: {
                isLost($0)
            }
            #expect(!redis.isOpen)
        }
    }

    @Test("does not result from deadlines that were met")
    func deadlinesMet() async throws {
        try await withRedisServer { server async throws in
            let redis = try await RedisConnection.connect(to: server.url)
            // The timer of the first ones fires while the last one waits with a later deadline.
            for _ in 0..<10 { _ = try await redis.send(RedisCommand("PING"), timeout: .seconds(2)) }
            let blocked = try await redis.send(RedisCommand("BLPOP", "list", "2.5"), timeout: .seconds(30))
            #expect(blocked == .null)
            #expect(redis.isOpen)
        }
    }

    @Test("does not turn into a crash for any timeout")
    func oddTimeouts() async throws {
        try await withRedisServer { server async throws in
            for timeout in [Duration.seconds(Int64.max), .seconds(1_000_000_000_000)] {
                let redis = try await RedisConnection.connect(to: server.url)
                #expect(try await redis.send(RedisCommand("PING"), timeout: timeout) == .simple("PONG"))
            }
            for timeout in [Duration.zero, .seconds(-5), .seconds(Int64.min)] {
                let redis = try await RedisConnection.connect(to: server.url)
                await #expect(throws: RedisError.self) {
                    try await redis.send(RedisCommand("BLPOP", "list", "5"), timeout: timeout)
                }
            }
        }
    }
}
