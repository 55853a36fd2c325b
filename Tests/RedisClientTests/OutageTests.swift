import Concurrency
import NIOPosix
import TestSupport
import Testing

@testable import RedisClient

/// When a client retries a server that could not be reached.
@Suite("An outage of Redis")
struct OutageTests {
    private let outage = Outage(delay: Backoff(initial: .seconds(8), maximum: .seconds(64)))
    private let began = ContinuousClock.now

    private func failure(_ text: String = "refused") -> RedisError {
        .cannotConnect(to: "fake", reason: text)
    }

    /// Records a failed attempt.
    /// - Parameters:
    ///   - seconds: When it ended, in seconds from the beginning.
    ///   - time: How long it took, in seconds.
    /// - Returns: Whether it must be reported.
    @discardableResult
    private func fail(_ text: String = "refused", at seconds: Int, after time: Int = 0) -> Bool {
        outage.failed(failure(text), begun: began + .seconds(seconds - time), at: began + .seconds(seconds))
    }

    @Test("delays attempts longer after each failure")
    func delays() throws {
        var now = began
        for (count, nominal) in [8, 16, 32, 64, 64].enumerated() {
            _ = outage.failed(failure(), begun: now, at: now)
            let known = try #require(outage.failure)
            #expect(known.count == count + 1)
            #expect(known.retryAt >= now + .seconds(nominal) / 2 && known.retryAt <= now + .seconds(nominal))
            #expect(outage.error(at: known.retryAt - .nanoseconds(1)) as? RedisError == failure())
            #expect(outage.error(at: known.retryAt) == nil)
            now = known.retryAt
        }
    }

    @Test("counts concurrent attempts as one, and reports the last error")
    func sideBySide() {
        // Further apart than the first delay.
        for second in [60, 61, 100, 119] { fail(at: second, after: 60) }
        #expect(outage.failure?.count == 1)
        #expect((outage.failure?.retryAt).map { $0 <= began + .seconds(68) } == true)
        fail("other", at: 119, after: 60)
        #expect(outage.error(at: began + .seconds(60)) as? RedisError == failure("other"))
        fail(at: 120, after: 60)
        #expect(outage.failure?.count == 2)
    }

    @Test("ends when any client has connected, and starts again with the next failure")
    func end() {
        for second in [0, 100, 200] { fail(at: second) }
        #expect(outage.failure?.count == 3)
        outage.end(at: began + .seconds(200))
        #expect(outage.failure == nil)
        #expect(outage.error(at: began + .seconds(200)) == nil)
        // This attempt was in progress then.
        #expect(!fail(at: 230, after: 60))
        #expect(outage.failure == nil)
        #expect(fail(at: 300))
        #expect(outage.failure?.count == 1)
    }

    @Test("is reported once for each kind of failure in a row")
    func news() {
        #expect(fail(at: 0))
        #expect(!fail(at: 0))
        #expect(!fail(at: 100))
        #expect(fail("other", at: 200))
        outage.end(at: began + .seconds(250))
        #expect(fail("other", at: 300))
    }

    @Test(
        "is shared by the clients of all event loops",
        .enabled(if: MultiThreadedEventLoopGroup.singleton.makeIterator().map { _ in 1 }.count > 1))
    func shared() async throws {
        let folder = try TemporaryFolder()
        let url = RedisURL(unixSocket: folder.path(of: "fake.sock"))
        var options = RedisOptions()
        options.reconnectDelay = Backoff(initial: .seconds(600), maximum: .seconds(600))
        let recorder = LogRecorder()
        let clients = RedisClient.onEachEventLoop(url: url, options: options, logger: recorder.logger)
        await #expect(throws: RedisError.self) { try await clients[0].send(RedisCommand("PING")) }
        // None of them tries to connect, although a server is running now.
        let server = try await FakeServer.start(in: folder) { _, _ in .silence }
        for client in clients {
            await #expect(throws: RedisError.cannotConnect(to: url.redacted, reason: "there is no such socket file")) {
                try await client.send(RedisCommand("PING"))
            }
        }
        #expect(server.count(of: "PING") == 0)
        #expect(recorder.messages == ["cannot connect to redis"])
    }
}
