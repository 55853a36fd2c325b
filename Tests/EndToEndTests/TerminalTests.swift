import Foundation
import TestSupport
import Testing

/// A consumer whose terminal, or the reader of its output, disappears.
@Suite struct TerminalTests {
    @Test("SIGHUP ends run and its private Redis like SIGTERM")
    func hangUp() async throws {
        let folder = try TemporaryFolder()
        let running = try ChildProcess(
            try builtBinary("stocktake"), ["run"],
            environment: [
                "STOCKTAKE_DATA": folder.path(of: "data"), "STOCKTAKE_HTTP_PORT": "0", "STOCKTAKE_OPERATOR_PORT": "0",
            ])
        try await running.waitForLine(containing: "consuming store", within: .seconds(30))
        let pid = try String(contentsOfFile: folder.path(of: "data/redis.pid"), encoding: .utf8)
        let redis = try #require(Int32(pid.filter(\.isNumber)))
        running.signal(SIGHUP)
        #expect(try await running.waitForEnding() == .exited(0))
        #expect(running.standardOutput.contains("stopped: "))
        try await eventually("the server's end") { kill(redis, 0) != 0 }
    }

    @Test("A consumer that was started to outlive its terminal does so")
    func ignoredHangUp() async throws {
        let shop = try await Shop()
        let consumer = try shop.start(["consume"], under: ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""])
        try await consumer.waitForLine(containing: "consuming store", within: .seconds(20))
        consumer.signal(SIGHUP)
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.waitForOrders(SequentialModel.rush.count)
        #expect(try await consumer.stop() == .exited(0))
    }

    /// A pipe that is open at both ends and full: writing another byte blocks.
    private func fullPipe(in folder: TemporaryFolder) throws -> (path: String, descriptor: Int32) {
        let path = folder.path(of: "pipe")
        guard mkfifo(path, 0o600) == 0 else { throw TestSupportError("no pipe: \(errno)") }
        let descriptor = open(path, O_RDWR | O_NONBLOCK)
        let filler = [UInt8](repeating: 46, count: 4_096)
        while write(descriptor, filler, filler.count) > 0 {}
        return (path, descriptor)
    }

    private func start(_ arguments: [String], in shop: Shop, writingTo pipe: String) throws -> ChildProcess {
        try shop.start(arguments, under: ["sh", "-c", "exec \"$0\" \"$@\" >\(pipe) 2>&1"])
    }

    @Test("Unread output does not hold up the consumer, and delays its end only briefly")
    func unreadPipe() async throws {
        let shop = try await Shop()
        let pipe = try fullPipe(in: shop.folder)
        defer { close(pipe.descriptor) }
        let consumer = try start(
            ["consume", "--batch-orders", "1", "--log-level", "trace"], in: shop, writingTo: pipe.path)
        try await shop.publish(SequentialModel.rush.map(\.message))
        try await shop.waitForOrders(SequentialModel.rush.count)
        _ = try await shop.redis.command("FLUSHALL")
        try await shop.publish([SequentialModel.Order("late", ("PANEL", nil, 1)).message])
        try await shop.waitForOrders(SequentialModel.rush.count + 1)
        #expect(try await consumer.stop() == .exited(0))
        try await shop.consumeAll()
        try await shop.expectConsistent()
    }

    @Test("A consumer that has to stop does so even if its error output is not read")
    func unreadReason() async throws {
        let shop = try await Shop()
        let pipe = try fullPipe(in: shop.folder)
        defer { close(pipe.descriptor) }
        _ = try await shop.redis.command("SET", shop.keys.checkouts, "no stream")
        let consumer = try start(["consume"], in: shop, writingTo: pipe.path)
        #expect(try await consumer.waitForEnding(within: .seconds(20)) == .exited(2))
    }
}
