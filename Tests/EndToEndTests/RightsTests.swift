import Foundation
import Domain
import RedisLayout
import TestSupport
import Testing

/// The consumer as the user of `config/redis.conf`, with one right taken away: on each server, and (scripts/test-long)
/// each of its rights.
@Suite struct RightsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var server: RedisServerProgram
        var right: String

        var testDescription: String { "\(right) on \(server)" }
    }

    /// One that is needed inside a script: the servers have different words for that.
    private static let quick = ["+xack"]
    static let isLong = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_LONG"] == "1"
    static let cases = (isLong ? ShippedUser.consumer.rights : quick).flatMap { right in
        RedisServerProgram.present.map { Case(server: $0, right: right) }
    }

    @Test("For each right of the consumer's user it is written down what happens without it")
    func rows() {
        let rights = Set(ShippedUser.consumer.rights)
        #expect(!rights.isEmpty)
        #expect(rights.subtracting(WithoutRight.rows.keys) == [], "add them to WithoutRight.rows")
    }

    @Test("A consumer that lacks a right waits or goes on without it, says so, and needs no restart", arguments: cases)
    func taken(_ each: Case) async throws {
        let without = try #require(WithoutRight.rows[each.right])
        let shop = try await RestrictedShop(on: each.server)
        let running = try shop.start()
        try await running.waitForLine(containing: "consuming store", within: .seconds(20))
        try await shop.sell()
        try await shop.waitUntilFinished()

        // While it runs, stopped for as long as everything is prepared.
        let mark = running.standardError.count
        running.signal(SIGSTOP)
        try await eventually("a process that is stopped") { running.isStopped }
        try await shop.shop.redis.command("CLIENT", "KILL", "TYPE", "normal")
        try await shop.needEverything(without: each.right)
        running.signal(SIGCONT)
        if case .waitsAtStart = without {
            try await shop.waitUntilFinished()
        } else {
            try await shop.expect(without, of: running, since: mark)
        }
        try await shop.recover(each.right)
        #expect(try await running.stop() == .exited(0))

        // From the start.
        try await shop.needEverything(without: each.right)
        let starting = try shop.start()
        if case .waitsAtStart = without {
            try await shop.expect(.waits, of: starting, since: 0)
        } else {
            try await shop.expect(without, of: starting, since: 0)
        }
        try await shop.recover(each.right)
        #expect(try await starting.stop() == .exited(0))
        try await shop.shop.expectConsistent()
    }
}

/// A shop whose consumer may do no more than `config/redis.conf` says. Everybody else may do everything.
private struct RestrictedShop {
    let shop: Shop
    private let user = ShippedUser.consumer

    /// Trimming is tried every ten seconds, all else more often.
    private static let patience = Duration.seconds(30)
    /// How the consumer says that a right is missing, whatever the server's words.
    private static let remedy = "Grant it to the user with ACL SETUSER"
    private static let waiting = ["waiting for Redis", "reading failed; trying again"]

    init(on server: RedisServerProgram) async throws {
        // Not database 0, so that SELECT is needed.
        shop = try await Shop(on: server, database: 1)
        try await user.add(to: shop.redis)
    }

    /// Starts all that one process can be: consumer, comparisons, HTTP, and the operator's page.
    func start() throws -> ChildProcess {
        try shop.start(
            ["run", "--keep-messages-s", "0", "--reconcile-interval-s", "1"],
            environment: [
                "STOCKTAKE_REDIS_URL": user.address(of: shop.redis, database: 1)
            ])
    }

    func sell() async throws {
        let id = "o\(try await shop.redis.command("INCR", "orders").int ?? 0)"
        try await shop.sell(id, ("PANEL", nil, 1))
    }

    private func isFinished() async throws -> Bool {
        let sold = try await shop.redis.command("GET", "orders").int
        // There may be no group yet.
        let pending = try? await shop.pending()
        return try Int64(shop.count("orders")) == sold && pending == 0
    }

    func waitUntilFinished() async throws {
        try await eventually(within: Self.patience, "every order in the ledger, and acknowledged") {
            try await isFinished()
        }
    }

    /// Takes a right, and makes a consumer need all of them: messages that are new, one that was delivered to another
    /// consumer, counters and scripts that are gone.
    func needEverything(without right: String) async throws {
        for _ in 1...2 { try await sell() }
        try await shop.redis.command(
            "XREADGROUP", "GROUP", StoreKeys.group, "gone", "STREAMS", shop.keys.checkouts, ">")
        try await sell()
        try await user.take(right, on: shop.redis)
        // With the group its pending messages are gone, and other rights are not needed.
        if right == "+xgroup|create" {
            try await shop.redis.command("XGROUP", "DESTROY", shop.keys.checkouts, StoreKeys.group)
        }
        try await shop.redis.command("DEL", shop.keys.stock)
        try await shop.redis.command("SCRIPT", "FLUSH")
    }

    /// - Parameter mark: how much of the log was there before the right was taken.
    func expect(_ without: WithoutRight, of consumer: ChildProcess, since mark: Int) async throws {
        func waitForLine(_ isIt: (Substring) -> Bool) async throws {
            do {
                try await eventually(within: Self.patience, "the line") {
                    let text = consumer.standardError.dropFirst(mark)
                    return text.split(separator: "\n").contains(where: isIt) || consumer.ending != nil
                }
            } catch {
                throw TestSupportError("the consumer does not say so: \(consumer.standardError.dropFirst(mark))")
            }
            try #require(consumer.ending == nil, "\(consumer.standardError.dropFirst(mark))")
        }
        switch without {
        case .waits, .waitsAtStart:
            try await waitForLine { line in
                line.contains(Self.remedy) && Self.waiting.contains { line.contains($0) }
            }
            #expect(try await !isFinished())
        case .goesOn(let saying):
            try await waitUntilFinished()
            if let saying { try await waitForLine { $0.contains(saying) } }
        }
        #expect(consumer.ending == nil)
    }

    /// Gives the right back: nothing else is needed.
    func recover(_ right: String) async throws {
        try await user.give(right, on: shop.redis)
        try await waitUntilFinished()
    }
}
