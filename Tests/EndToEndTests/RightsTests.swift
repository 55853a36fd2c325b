import Foundation
import Domain
import RedisLayout
import TestSupport
import Testing

/// The consumer as the user of `config/redis.conf` with one right revoked: on each server, and (scripts/test-long) for
/// each of its rights.
@Suite struct RightsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var server: RedisServerProgram
        var right: String

        var testDescription: String { "\(right) on \(server)" }
    }

    /// A right that a script needs: the servers word that refusal differently.
    private static let quick = ["+xack"]
    static let isLong = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_LONG"] == "1"
    static let cases = (isLong ? ShippedUser.consumer.rights : quick).flatMap { right in
        RedisServerProgram.present.map { Case(server: $0, right: right) }
    }

    @Test("For each right of the consumer's user the table lists the effect of lacking it")
    func rows() {
        let rights = Set(ShippedUser.consumer.rights)
        #expect(!rights.isEmpty)
        #expect(rights.subtracting(WithoutRight.rows.keys) == [], "add them to WithoutRight.rows")
    }

    @Test("A consumer lacking a right waits or continues without it, says so, and needs no restart", arguments: cases)
    func taken(_ each: Case) async throws {
        let without = try #require(WithoutRight.rows[each.right])
        let shop = try await RestrictedShop(on: each.server)
        let running = try shop.start()
        try await running.waitForLine(containing: "consuming store", within: .seconds(20))
        try await shop.sell()
        try await shop.waitUntilFinished()

        // Revoked while it runs; it is stopped until everything is prepared.
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

        // Revoked before the start.
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

/// A shop whose consumer may do only what `config/redis.conf` allows. All other users may do everything.
private struct RestrictedShop {
    let shop: Shop
    private let user = ShippedUser.consumer

    /// Trimming is tried every ten seconds, everything else more often.
    private static let patience = Duration.seconds(30)
    /// The consumer's hint that a right is missing, whatever the server's words.
    private static let remedy = "Grant it to the user with ACL SETUSER"
    private static let waiting = ["waiting for Redis", "reading failed; trying again"]

    init(on server: RedisServerProgram) async throws {
        // Not database 0, so that SELECT is needed.
        shop = try await Shop(on: server, database: 1)
        try await user.add(to: shop.redis)
    }

    /// Starts every role in one process: consumer, reconciler, HTTP, and the operator's page.
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
        // The group may not exist yet.
        let pending = try? await shop.pending()
        return try Int64(shop.count("orders")) == sold && pending == 0
    }

    func waitUntilFinished() async throws {
        try await eventually(within: Self.patience, "every order in the ledger, and acknowledged") {
            try await isFinished()
        }
    }

    /// Revokes a right and makes a consumer need all of them: new messages, one delivered to another consumer, and
    /// missing counters and scripts.
    func needEverything(without right: String) async throws {
        for _ in 1...2 { try await sell() }
        try await shop.redis.command(
            "XREADGROUP", "GROUP", StoreKeys.group, "gone", "STREAMS", shop.keys.checkouts, ">")
        try await sell()
        try await user.take(right, on: shop.redis)
        // Deleting the group deletes its pending entries, so that other rights are not needed.
        if right == "+xgroup|create" {
            try await shop.redis.command("XGROUP", "DESTROY", shop.keys.checkouts, StoreKeys.group)
        }
        try await shop.redis.command("DEL", shop.keys.stock)
        try await shop.redis.command("SCRIPT", "FLUSH")
    }

    /// - Parameter mark: The length of the log before the right was revoked.
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

    /// Grants the right again: nothing else is needed.
    func recover(_ right: String) async throws {
        try await user.give(right, on: shop.redis)
        try await waitUntilFinished()
    }
}
