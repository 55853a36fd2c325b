import Foundation
import RedisClient
import TestSupport
import Testing

/// Redis' name moves to another server while the old one stays alive.
@Suite(.serialized) struct FailoverTests {
    /// A name that can be pointed at another server atomically: a symbolic link to its socket.
    private struct Name {
        let path: String

        init(in folder: TemporaryFolder) { path = folder.path(of: "redis") }

        func lead(to server: TestRedisServer) throws {
            let next = path + ".next"
            try FileManager.default.createSymbolicLink(atPath: next, withDestinationPath: server.socketPath)
            guard rename(next, path) == 0 else { throw TestSupportError("renaming the link: \(errno)") }
        }

        var environment: [String: String] { ["STOCKTAKE_REDIS_URL": "unix://\(path)"] }
    }

    private let orders = SequentialModel.rush

    /// A replica that had everything its primary had acknowledged, and now accepts writes.
    private func promotedReplica(of primary: TestRedisServer, _ shop: Shop) async throws -> TestRedisServer {
        let port = try #require(primary.port)
        let replica = try await TestRedisServer.start(["--replicaof", "127.0.0.1 \(port)"], listening: .tcp)
        try await eventually(within: .seconds(20), "the replica") {
            try await replica.command("INFO", "replication").info["master_link_status"] == "up"
        }
        try await eventually("the replica to have all") {
            let stock = shop.keys.stock
            return try await replica.command("HGET", stock, "settled") == primary.command("HGET", stock, "settled")
        }
        _ = try await replica.command("REPLICAOF", "NO", "ONE")
        return replica
    }

    private func publish(_ orders: ArraySlice<SequentialModel.Order>, _ shop: Shop, _ name: Name) async throws {
        let lines = orders.map(\.message).joined(separator: "\n") + "\n"
        let result = try await shop.run(["publish", "-"], environment: name.environment, input: lines)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("The consumer leaves a demoted primary that keeps its clients, for the server its name now leads to")
    func demoted() async throws {
        let shop = try await Shop()
        let name = Name(in: shop.folder)
        let old = try await TestRedisServer.start(listening: .tcp)
        try name.lead(to: old)
        let consumer = try await shop.startConsumer(environment: name.environment)
        try await publish(orders[..<20], shop, name)
        try await shop.waitForOrders(20)
        let new = try await promotedReplica(of: old, shop)
        let port = try #require(new.port)
        _ = try await old.command("REPLICAOF", "127.0.0.1", "\(port)")
        try name.lead(to: new)
        try await publish(orders[20...], shop, name)
        try await shop.waitForOrders(orders.count)
        try await eventually("everything to be acknowledged") {
            try await new.command("XPENDING", shop.keys.checkouts, "stocktake").array?.first?.int == 0
        }
        // The same process, without a stop in between.
        #expect(consumer.ending == nil)
        #expect(try await consumer.stop() == .exited(0))
        try SequentialModel().taking(orders.map { .order($0) }).expect(shop)
        await old.kill()
        await new.kill()
    }

    @Test(
        "Two connections to two different servers are reopened, even if both servers accept writes",
        arguments: ["the one that decides", "the one that reads"])
    func twoServers(cut: String) async throws {
        let shop = try await Shop()
        let name = Name(in: shop.folder)
        let old = try await TestRedisServer.start(listening: .tcp)
        try name.lead(to: old)
        let consumer = try await shop.startConsumer(environment: name.environment)
        try await publish(orders[..<20], shop, name)
        try await shop.waitForOrders(20)
        let new = try await promotedReplica(of: old, shop)
        try name.lead(to: new)
        // The other connection stays with the old server.
        let clients = try await old.command("CLIENT", "LIST").string ?? ""
        for client in clients.split(separator: "\n") where client.contains("name=stocktake") {
            guard client.contains("cmd=xreadgroup") == (cut == "the one that reads"),
                let id = client.split(separator: " ").first?.dropFirst(3)
            else { continue }
            _ = try? await old.command("CLIENT", "KILL", "ID", String(id))
        }
        try await consumer.waitForLine(containing: "lead to different servers", within: .seconds(20))
        try await publish(orders[20...], shop, name)
        try await shop.waitForOrders(orders.count)
        try await eventually("everything to be acknowledged") {
            try await new.command("XPENDING", shop.keys.checkouts, "stocktake").array?.first?.int == 0
        }
        #expect(try await consumer.stop() == .exited(0))
        try SequentialModel().taking(orders.map { .order($0) }).expect(shop)
        await old.kill()
        await new.kill()
    }

    @Test("A cluster node that does not hold the keys is waited for with a clear message")
    func moved() async throws {
        let shop = try await Shop()
        func node() async throws -> TestRedisServer {
            let bus = try freePort()
            return try await TestRedisServer.start(
                ["--cluster-enabled", "yes", "--cluster-port", "\(bus)"], listening: .tcp)
        }
        let (named, other) = (try await node(), try await node())
        let slot = try await named.command("CLUSTER", "KEYSLOT", shop.keys.stock).int ?? -1
        for range in [(0, slot - 1), (slot + 1, 16_383)] where range.0 <= range.1 {
            _ = try await named.command("CLUSTER", "ADDSLOTSRANGE", "\(range.0)", "\(range.1)")
        }
        _ = try await other.command("CLUSTER", "ADDSLOTS", "\(slot)")
        let info = try await other.command("CLUSTER", "SHARDS")
        let bus = try await other.command("CONFIG", "GET", "cluster-port").fields["cluster-port"]?.string ?? ""
        #expect(!info.isNull)
        _ = try await named.command("CLUSTER", "MEET", "127.0.0.1", "\(other.port ?? 0)", bus)
        try await eventually(within: .seconds(30), "the cluster") {
            try await named.command("CLUSTER", "INFO").info["cluster_state"] == "ok"
        }
        let consumer = try shop.start(
            ["consume"], environment: ["STOCKTAKE_REDIS_URL": "unix://\(named.socketPath)"])
        let line = try await consumer.waitForLine(containing: "MOVED")
        #expect(line.contains("waiting for Redis") && line.contains("node of a Redis Cluster"), "\(line)")
        // The slot moves to this node.
        let id = try await named.command("CLUSTER", "MYID").string ?? ""
        for node in [other, named] { _ = try await node.command("CLUSTER", "SETSLOT", "\(slot)", "NODE", id) }
        try await consumer.waitForLine(containing: "consuming store", within: .seconds(20))
        #expect(try await consumer.stop() == .exited(0))
        await named.kill()
        await other.kill()
    }
}
