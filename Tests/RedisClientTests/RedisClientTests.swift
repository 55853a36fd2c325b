import Concurrency
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import RedisClient

@Suite("A client")
struct RedisClientTests {
    @Test("connects with the first command, and stays connected")
    func connects() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            #expect(redis.generation == 0 && !redis.isConnected)
            #expect(try await redis.send(RedisCommand("INCR", "n")) == .integer(1))
            #expect(
                try await redis.pipeline([RedisCommand("INCR", "n"), RedisCommand("GET", "n")]).compactMap(\.int) == [
                    2, 2,
                ])
            #expect(redis.generation == 1 && redis.isConnected)
            await redis.close()
            #expect(!redis.isConnected)
        }
    }

    @Test("opens one connection for many concurrent callers")
    func sharedAttempt() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { _ = try await redis.send(RedisCommand("INCR", "n")) } }
                try await group.waitForAll()
            }
            #expect(try await server.command("GET", "n").int == 50)
            #expect(redis.generation == 1)
            await redis.close()
        }
    }

    @Test(
        "reconnects when the server says that it is not the primary, and passes its error on",
        arguments: [
            "READONLY You can't write against a read only replica.", "MASTERDOWN Link with MASTER is down.",
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        ])
    func notThePrimary(_ words: String) async throws {
        let server = try await FakeServer.start { connection, _ in .answer(connection < 3 ? "-\(words)\r\n" : "+OK\r\n")
        }
        let redis = RedisClient(url: server.url, logger: silentLogger)
        let error = await #expect(throws: RedisError.self) { try await redis.send(RedisCommand("SET", "k", "v")) }
        guard case .reply(let reply, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reply.message == words)
        // In a pipeline errors are values.
        let replies = try await redis.pipeline([RedisCommand("SET", "k", "v"), RedisCommand("GET", "k")])
        #expect(replies.count == 2 && redis.generation == 2)
        #expect(try await redis.send(RedisCommand("SET", "k", "v")) == .simple("OK"))
        #expect(redis.generation == 3)
        await redis.close()
    }

    @Test("keeps its connection when the server refuses a command for another reason")
    func otherRefusals() async throws {
        let server = try await FakeServer.start { _, _ in .answer("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")
        }
        let redis = RedisClient(url: server.url, logger: silentLogger)
        for _ in 1...3 {
            await #expect(throws: RedisError.self) { try await redis.send(RedisCommand("XREADGROUP")) }
        }
        #expect(redis.generation == 1)
        await redis.close()
    }

    @Test("recovers after the server was killed and restarted, and counts the connections")
    func reconnects() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            _ = try await redis.send(RedisCommand("SET", "k", "v"))
            for round in 2...3 {
                await server.kill()
                try await eventually("a command to fail") {
                    do {
                        _ = try await redis.send(RedisCommand("GET", "k"))
                        return false
                    } catch let error as RedisError {
                        return !error.mayHaveExecuted
                    }
                }
                #expect(redis.generation == round - 1)
                async let connected: Void = redis.waitUntilConnected(within: .seconds(30))
                try await server.restart()
                try await connected
                #expect(redis.generation == round)
                #expect(try await redis.send(RedisCommand("GET", "k")) == .null)
            }
            await redis.close()
        }
    }

    @Test("recovers by itself when the server has dropped an idle connection")
    func idleConnectionDropped() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            _ = try await redis.send(RedisCommand("PING"))
            try await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await eventually("the end to be noticed") { !redis.isConnected }
            #expect(try await redis.send(RedisCommand("PING")) == .simple("PONG"))
            #expect(redis.generation == 2)
            await redis.close()
        }
    }

    /// The server executes the command, and its reply is lost with the connection.
    @Test("never resends a command whose outcome is unknown")
    func neverResends() async throws {
        let server = try await FakeServer.start { connection, command in
            command.first == "INCR" && connection < 4 ? .close(after: "") : .answer(":1\r\n")
        }
        let redis = RedisClient(url: server.url, logger: silentLogger)
        for attempt in 1...3 {
            await #expect {
                try await redis.send(RedisCommand("INCR", "n"))
            } throws: { error in
                (error as? RedisError)?.mayHaveExecuted == true
            }
            #expect(server.count(of: "INCR") == attempt)
        }
        #expect(
            try await redis.pipeline([RedisCommand("INCR", "n"), RedisCommand("X")]) == [.integer(1), .integer(1)])
        #expect(server.count(of: "INCR") == 4)
        #expect(redis.generation == 4)
    }

    @Test("counts each command once on a real server whose replies are lost")
    func swallowedReplies() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            _ = try await redis.send(RedisCommand("PING"))
            server.signal(SIGSTOP)
            await #expect {
                try await redis.send(RedisCommand("INCR", "n"), timeout: .milliseconds(300))
            } throws: { error in
                guard case RedisError.timedOut(_, "INCR", _) = error else { return false }
                return true
            }
            // Now it is executed.
            server.signal(SIGCONT)
            try await eventually("INCR to be executed") { try await server.command("GET", "n").int == 1 }
            #expect(try await redis.send(RedisCommand("INCR", "n")) == .integer(2))
            await redis.close()
        }
    }

    @Test("fails at once between two attempts to connect")
    func backOff() async throws {
        let folder = try TemporaryFolder()
        let url = RedisURL(unixSocket: folder.path(of: "fake.sock"))
        var options = RedisOptions()
        options.reconnectDelay = Backoff(initial: .seconds(600), maximum: .seconds(600))
        let redis = RedisClient(url: url, options: options, logger: silentLogger)
        func fails() async {
            await #expect(throws: RedisError.cannotConnect(to: url.redacted, reason: "there is no such socket file")) {
                try await redis.send(RedisCommand("PING"))
            }
        }
        await fails()
        // It does not try to connect, although a server is running now.
        let server = try await FakeServer.start(in: folder) { _, _ in .silence }
        for _ in 0..<1_000 { await fails() }
        #expect(server.count(of: "PING") == 0)
        #expect(redis.generation == 0)
    }

    @Test("waits longer after each failure, up to the maximum, with jitter")
    func delays() {
        let delay = Backoff(initial: .milliseconds(50), maximum: .seconds(2))
        let nominal = [1: 50, 2: 100, 3: 200, 4: 400, 5: 800, 6: 1_600, 7: 2_000, 8: 2_000, 1_000_000: 2_000]
        for (failures, milliseconds) in nominal {
            let drawn = (0..<50).map { _ in delay.delay(afterFailures: failures) }
            #expect(drawn.allSatisfy { $0 >= .milliseconds(milliseconds) / 2 && $0 <= .milliseconds(milliseconds) })
            #expect(Set(drawn).count > 1)
        }
        // A command is not retried while its client does not try to connect.
        for failures in 1...20 {
            let client = RedisOptions().reconnectDelay
            for _ in 0..<50 {
                #expect(Backoff.ofCommands.delay(afterFailures: failures) >= client.delay(afterFailures: failures))
            }
        }
        #expect(Backoff(initial: .seconds(9), maximum: .seconds(1)).delay(afterFailures: 1) <= .seconds(1))
    }

    @Test("waits for a server that starts later, and logs each kind of failure once")
    func waitsUntilConnected() async throws {
        let server = try await FakeServer.start(greets: false) { connection, command in
            switch (connection, command.first) {
            case (...3, "PING"): .answer("-LOADING Redis is loading the dataset in memory\r\n")
            case (4...5, _): .close(after: "")
            default: .answer("+OK\r\n")
            }
        }
        var options = RedisOptions()
        options.reconnectDelay = Backoff(initial: .milliseconds(1), maximum: .milliseconds(2))
        let recorder = LogRecorder()
        let redis = RedisClient(url: server.url, options: options, logger: recorder.logger)
        let told = Shared([String]())
        try await redis.waitUntilConnected { error in told.change { $0.append(error.kind) } }
        #expect(told.value.map { String($0.prefix(14)) } == ["reply: LOADING", "cannot connect"])
        #expect(redis.isConnected && redis.generation == 1)
        #expect(recorder.messages == ["cannot connect to redis", "cannot connect to redis", "connected to redis"])
        try await redis.waitUntilConnected(within: .zero)
    }

    @Test("waits no longer than its limit, and not for permanent errors")
    func waitingEnds() async throws {
        try await withRedisServer(["--requirepass", "pw"]) { server async throws in
            let wrong = RedisClient(
                url: try RedisURL("unix://\(server.socketPath)?password=hunter2"), logger: silentLogger)
            await #expect {
                try await wrong.waitUntilConnected()
            } throws: { error in
                guard case RedisError.reply(let reply, "AUTH") = error else { return false }
                return reply.code == "WRONGPASS"
            }
            let nobody = RedisClient(url: RedisURL(unixSocket: server.folder.path(of: "none")), logger: silentLogger)
            await #expect {
                try await nobody.waitUntilConnected(within: .milliseconds(300))
            } throws: { error in
                guard case RedisError.cannotConnect = error else { return false }
                return true
            }
            let waiting = Task { try await nobody.waitUntilConnected() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let closed = Task { try await nobody.waitUntilConnected() }
            await nobody.close()
            await #expect {
                try await closed.value
            } throws: { error in
                error is RedisError
            }
        }
    }

    @Test("that is cancelled while it connects leaves the attempt to other callers")
    func cancelledWhileConnecting() async throws {
        let isServing = Shared(false)
        let server = try await FakeServer.start(greets: false) { _, command in
            command.first == "PING" && !isServing.value ? .silence : .answer("+OK\r\n")
        }
        var options = RedisOptions()
        options.connectTimeout = .milliseconds(500)
        let redis = RedisClient(url: server.url, options: options, logger: silentLogger)
        let first = Task { try await redis.send(RedisCommand("GET", "k")) }
        try await eventually("the attempt") { server.count(of: "PING") == 1 }
        let second = Task { try await redis.send(RedisCommand("GET", "k")) }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        // The second caller still waits for the attempt, and its deadline is that of connecting.
        await #expect {
            try await second.value
        } throws: { error in
            guard case RedisError.cannotConnect = error else { return false }
            return true
        }
        #expect(server.count(of: "PING") == 1)
        isServing.change { $0 = true }
        try await redis.waitUntilConnected(within: .seconds(10))
        #expect(try await redis.send(RedisCommand("GET", "k")) == .simple("OK"))
    }

    @Test("that is closed fails all waiting and later calls")
    func closing() async throws {
        let server = try await FakeServer.start(greets: false) { _, _ in .silence }
        let redis = RedisClient(url: server.url, logger: silentLogger)
        let waiting = Task { try await redis.send(RedisCommand("GET", "k")) }
        try await eventually("the attempt") { server.count(of: "PING") == 1 }
        await redis.close()
        let closed = RedisError.notSent(to: server.url.redacted, reason: "the client was closed")
        await #expect(throws: closed) { try await waiting.value }
        await #expect(throws: closed) { try await redis.send(RedisCommand("GET", "k")) }
        await #expect(throws: closed) { try await redis.waitUntilConnected() }
    }

    @Test("logs that it connected and that the connection was lost, without the password")
    func logging() async throws {
        try await withRedisServer(["--requirepass", "hunter2"]) { server async throws in
            let recorder = LogRecorder()
            let redis = RedisClient(
                url: try RedisURL("unix://\(server.socketPath)?password=hunter2"), logger: recorder.logger)
            _ = try await redis.send(RedisCommand("PING"))
            await server.kill()
            try await eventually("the loss to be logged") { recorder.messages.count == 2 }
            #expect(recorder.messages == ["connected to redis", "connection to redis lost"])
            #expect(!recorder.metadata.contains("hunter2"))
            #expect(recorder.metadata.contains("the server closed the connection"))
        }
    }

    @Test("serves many senders through restarts, each with its own reply or an error")
    func storm() async throws {
        try await withRedisServer { server async throws in
            let redis = server.client()
            let isOver = Shared(false)
            let replies = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<20 {
                    group.addTask {
                        var round = 0
                        while !isOver.value {
                            round += 1
                            do {
                                let text = "\(sender):\(round)"
                                #expect(try await redis.send(RedisCommand("ECHO", text)).string == text)
                                replies.change { $0 += 1 }
                            } catch is RedisError {
                                try await redis.waitUntilConnected()
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    let before = replies.value
                    try await eventually("more replies") { replies.value > before + 500 }
                    await server.kill()
                    try await server.restart()
                }
                isOver.change { $0 = true }
                try await group.waitForAll()
            }
            #expect(redis.generation >= 4)
            await redis.close()
        }
    }
}

/// A value that several tasks read and change.
private final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func change(_ body: (inout sending Value) -> Void) { state.withLock { body(&$0) } }
}

/// Keeps logged messages.
final class LogRecorder: Sendable {
    private let entries = Mutex([(message: String, metadata: String)]())

    var messages: [String] { entries.withLock { $0.map(\.message) } }
    var metadata: String { entries.withLock { $0.map(\.metadata).joined(separator: "\n") } }

    var logger: Logger {
        Logger(label: "test") { _ in Recording(recorder: self) }
    }

    private struct Recording: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.entries.withLock { $0.append(("\(event.message)", "\(event.metadata ?? [:])")) }
        }
    }
}
