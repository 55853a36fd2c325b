import Foundation
import StrictJSON
import TestSupport
import Testing

/// Live events of the real server, as subscribers see them.
@Suite struct EventTests {
    private func products(_ event: EventStream.Event) throws -> [String] {
        try event.json()["products"]?.elements.compactMap { $0["id"]?.string } ?? []
    }

    private func sold(_ event: EventStream.Event) throws -> Int64? {
        try event.json()["products"]?[0]?["sold_quantity"]?.integer
    }

    @Test("A subscriber gets the current availability, then each change of its products, with increasing ids")
    func changes() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        try await shop.sell("o-1", ("LAMP", nil, 2))
        try await server.waitForSold(2, of: "LAMP")
        let events = try await EventStream.open(
            server.shop, "/v1/events?product=LAMP&product=CUBE&product=LAMP", ["Accept": "text/event-stream"])
        let head = try await events.head()
        #expect(head.status == 200)
        #expect(head.mediaType == "text/event-stream")
        #expect(head["cache-control"]?.contains("no-") == true)
        // A buffering proxy would delay events.
        #expect(head["x-accel-buffering"] == "no")
        let first = try await events.next()
        #expect(first.name == "availability")
        #expect(try products(first) == ["LAMP", "CUBE"])
        let body = try first.json()
        #expect(body.keys == ["as_of", "epoch", "products", "seq", "source"])
        let asked = try await server.get("/v1/availability?product=LAMP&product=CUBE").json()
        #expect(body["products"]?.sortedText == asked["products"]?.sortedText)
        #expect(first.id == "1.1")
        // Changes of products that were not requested are not sent.
        try await shop.sell("o-2", ("PANEL", nil, 1))
        try await server.waitForSold(1, of: "PANEL")
        try await shop.sell("o-3", ("CUBE", "BLACK", 1), ("PANEL", nil, 1))
        let second = try await events.next("availability")
        #expect(try products(second) == ["CUBE"])
        #expect(try sold(second) == 1)
        #expect(try second.json()["products"]?[0]?["variants"]?[0]?["available_quantity"] == 4)
        #expect(try second.json()["seq"] == 3)
        // An event's id is a state no newer than its availability: the latest that the server knew when it read it.
        #expect(["1.1", "1.2", "1.3"].contains(second.id))
        try await shop.sell("o-4", ("LAMP", nil, 5))
        let third = try await events.next("availability")
        #expect(try products(third) == ["LAMP"])
        #expect(try third.json()["products"]?[0]?["is_available"] == false)
        #expect(try third.json()["seq"] == 4)
        #expect(try #require(third.position) > (try #require(second.position)))
        // A refused order changes nothing.
        try await shop.sell("o-5", ("LAMP", nil, 1))
        try await shop.waitForOrders(5)
        try await shop.sell("o-6", ("CUBE", "WHITE", 1))
        #expect(try products(try await events.next("availability")) == ["CUBE"])
    }

    @Test("Browsers get different reconnection delays, so that they do not all reconnect at once")
    func comingBack() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        var times: [Int] = []
        for _ in 0..<20 {
            let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
            _ = try await events.next("availability")
            times.append(try #require(events.retry))
        }
        #expect(times.allSatisfy { (1_500...5_000).contains($0) }, "\(times)")
        #expect(try #require(times.max()) - (try #require(times.min())) > 1_000, "\(times)")
    }

    @Test("A rush of sales is sent as a few events per second, the last with the final availability")
    func coalesced() async throws {
        let shop = try await Shop()
        // One order per batch, so that it takes a while.
        let server = try await shop.startServer("--batch-orders", "1")
        let events = try await EventStream.open(server.shop, "/v1/events?product=PANEL")
        _ = try await events.next("availability")
        let orders = (0..<2_000).map { SequentialModel.Order("o-\($0)", ("PANEL", nil, 1)).message }
        let began = ContinuousClock.now
        try await shop.publish(orders)
        try await eventually(within: .seconds(60), "the final availability") {
            try events.events.last { $0.name == "availability" }.flatMap(sold) == 2_000
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let changes = try events.events.filter { $0.name == "availability" }.dropFirst()
        // At most ten per second, plus one at each end of the interval.
        #expect(Double(changes.count) <= 10 * seconds + 2, "\(changes.count) events in \(seconds) s")
        #expect(changes.count >= 2, "\(changes.count) events in \(seconds) s")
        let positions = changes.compactMap(\.position)
        #expect(positions.count == changes.count)
        #expect(zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 })
        let figures = try changes.compactMap(sold)
        #expect(zip(figures, figures.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("A reconnecting subscriber with a Last-Event-ID gets a full snapshot, from any process")
    func resumed() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let other = try await Server(try shop.start(["serve"]), of: shop)
        try await other.waitForStatus(200)
        let target = "/v1/events?product=LAMP&product=PANEL"
        // The other process knows the product from an earlier subscriber but has none now.
        _ = try await EventStream.open(other.shop, target).next("availability")
        let events = try await EventStream.open(server.shop, target)
        _ = try await events.next("availability")
        try await shop.sell("o-1", ("LAMP", nil, 2))
        let last = try await events.next("availability")
        #expect(try sold(last) == 2)
        events.close()
        try await shop.publish([
            #"{"type":"order.cancelled","payload":{"cancellation_id":"c-1","order_id":"o-1"}}"#
        ])
        try await server.waitForSold(0, of: "LAMP")
        for id in [try #require(last.id), "", "nonsense", "1.999", "99999999999999999999.1"] {
            for process in [server, other] {
                let again = try await EventStream.open(process.shop, target, ["Last-Event-ID": id])
                let event = try await again.next("availability")
                #expect(try products(event) == ["LAMP", "PANEL"], "\(id)")
                #expect(try sold(event) == 0, "\(id)")
                again.close()
            }
        }
    }

    @Test("After everything was restarted, an old event id yields a full snapshot")
    func resumedAfterRestart() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let server = try await shop.startServer()
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP&product=PANEL")
        _ = try await events.next("availability")
        try await shop.sell("o-1", ("LAMP", nil, 1))
        let last = try await events.next("availability")
        try await server.process.kill()
        let again = try await shop.startServer()
        // Until its epoch is open, the counters are those of the old epoch, in which the id is current.
        try await again.process.waitForLine(containing: "consuming store", within: .seconds(20))
        let resumed = try await EventStream.open(
            again.shop, "/v1/events?product=LAMP&product=PANEL", ["Last-Event-ID": try #require(last.id)])
        // The catalogue may have changed in the meantime.
        #expect(try await resumed.next().name == "catalogue")
        let event = try await resumed.next("availability")
        #expect(try products(event) == ["LAMP", "PANEL"])
        #expect(try #require(event.position) >= (try #require(last.position)))
    }

    @Test("A subscriber whose products do not change receives a heartbeat")
    func heartbeat() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
        _ = try await events.next("availability")
        let began = ContinuousClock.now
        let heartbeat = try await events.next(within: .seconds(20))
        #expect(heartbeat.name == "heartbeat")
        #expect(try heartbeat.json().keys == ["as_of"])
        #expect(ContinuousClock.now - began < .seconds(15))
        // A heartbeat is not a position to resume from.
        #expect(heartbeat.id == nil)
    }

    @Test("A subscriber that does not read is notified of missed events and gets a full snapshot")
    func slow() async throws {
        // Each sale changes all products, which makes some 400 KB of events: soon they exceed every buffer between the
        // server and a subscriber that does not read.
        let names = (0..<150).map { "P\($0)" }
        let products = names.map { name in
            let variants = (0..<25).map { #"{"id": "\#(name)-\#($0)", "name": "n"}"# }.joined(separator: ", ")
            return
                #"{"id": "\#(name)", "name": "n", "category": "kit", "dev_status": 5, "base_price": 1, "has_variants": true, "variants": [\#(variants)]}"#
        }
        let shop = try await Shop(
            catalogue: #"{"categories": ["kit"], "products": [\#(products.joined(separator: ", "))]}"#)
        let server = try await shop.startServer()
        let target = "/v1/events?" + names.map { "product=\($0)" }.joined(separator: "&")
        let slow = try await EventStream.open(server.shop, target, reads: false)
        let quick = try await EventStream.open(server.shop, target)
        _ = try await quick.next("availability")
        let sales = 40
        for sale in 1...sales {
            var order = SequentialModel.Order("o-\(sale)")
            order.lines = names.map { .init(product: $0, variant: "\($0)-0", units: 1) }
            try await shop.sell(order)
            // The initial event, then one per product and sale.
            try await eventually("the sale in the events") {
                try quick.events.count { $0.name == "availability" } == 1 + sale * names.count
            }
        }
        // Other subscribers were not held up and lost nothing.
        #expect(try quick.events.allSatisfy { $0.name != "missed" })
        slow.startReading()
        let missed = try await slow.next("missed", within: .seconds(30))
        #expect(try #require(try missed.json()["missed"]?.integer) > 0)
        let again = try await slow.next("availability").json()["products"]?.elements ?? []
        #expect(again.compactMap { $0["id"]?.string } == names)
        #expect(again.allSatisfy { $0["sold_quantity"]?.integer == Int64(sales) })
        // It then receives changes as before.
        try await shop.sell("o-last", ("P7", "P7-1", 1))
        let change = try await slow.next("availability")
        #expect(try self.products(change) == ["P7"])
        #expect(try sold(change) == Int64(sales + 1))
    }

    @Test("While Redis is unavailable subscribers are notified, and get a full snapshot once it is back")
    func redisAway() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP&product=PANEL")
        _ = try await events.next("availability")
        try await shop.sell("o-1", ("LAMP", nil, 1))
        _ = try await events.next("availability")
        await shop.redis.kill()
        let unavailable = try await events.next(within: .seconds(20))
        #expect(unavailable.name == "unavailable")
        #expect(try unavailable.json()["detail"]?.string?.isEmpty == false)
        // A new subscriber gets a 503 with a Retry-After.
        let late = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
        let refused = try await late.head()
        #expect(refused.status == 503)
        #expect(refused["retry-after"] == "1")
        try await shop.redis.restart()
        var back: [String] = []
        while Set(back) != ["LAMP", "PANEL"] {
            let event = try await events.next("availability", within: .seconds(20))
            back += try products(event)
            #expect(try sold(event) == (back.last == "LAMP" ? 1 : 0))
        }
        try await shop.sell("o-2", ("PANEL", nil, 1))
        #expect(try products(try await events.next("availability")) == ["PANEL"])
    }

    @Test("Every subscriber is notified of a new catalogue and of its products' new availability")
    func catalogue() async throws {
        let shop = try await Shop()
        let server = try await shop.startServer()
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
        let first = try await events.next("availability")
        let changed = Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 3"#)
        try await shop.succeed("sync", try shop.folder.write(changed, to: "changed.json"))
        let catalogue = try await events.next("catalogue", within: .seconds(20))
        #expect(try catalogue.json().text == #"{"catalogue":2}"#)
        try await eventually("the new cap in an event") {
            guard let last = try events.events.last(where: { $0.name == "availability" }) else { return false }
            guard let position = last.position, let before = first.position else { return false }
            return try last.json()["products"]?[0]?["max_quantity"] == 3 && position > before
        }
    }

    @Test("serve alone streams the decisions of another process' consumer")
    func elsewhere() async throws {
        let shop = try await Shop()
        let consumer = try await shop.startConsumer()
        let server = try await shop.startServing()
        try await server.waitForStatus(200)
        let events = try await EventStream.open(server.shop, "/v1/events?product=LAMP")
        _ = try await events.next("availability")
        try await shop.sell("o-1", ("LAMP", nil, 1))
        #expect(try sold(try await events.next("availability")) == 1)
        // A cancellation gives units back.
        try await shop.publish([SequentialModel.Message.cancellation(.init("c-1", of: "o-1"))])
        #expect(try sold(try await events.next("availability")) == 0)
        // Subscribers do not notice the consumer's end, and its successor's new epoch changes no availability.
        try await consumer.kill()
        let successor = try await shop.startConsumer()
        try await shop.sell("o-2", ("LAMP", nil, 3))
        try await eventually(within: .seconds(20), "the sale by the successor") {
            try events.events.last { $0.name == "availability" }.flatMap(sold) == 3
        }
        withExtendedLifetime(successor) {}
    }

    @Test("A thousand subscribers of one process all receive a change")
    func thousand() async throws {
        try raiseFileLimit(to: 4_000)
        let shop = try await Shop()
        let server = try await shop.startServer()
        let subscribers = try await withThrowingTaskGroup(of: EventStream.self) { group in
            for number in 0..<1_000 {
                let product = number % 2 == 0 ? "LAMP" : "CUBE"
                group.addTask { try await EventStream.open(server.shop, "/v1/events?product=\(product)&product=PANEL") }
            }
            return try await group.reduce(into: [EventStream]()) { $0.append($1) }
        }
        try await eventually(within: .seconds(60), "each subscriber's first event") {
            try subscribers.allSatisfy { try !$0.events.isEmpty }
        }
        try await eventually("the number of subscribers in the status") {
            try await server.office.get("/operator/status").json()["subscribers"] == 1_000
        }
        try await shop.sell("o-1", ("PANEL", nil, 3))
        try await eventually(within: .seconds(30), "the change at each subscriber") {
            try subscribers.allSatisfy { stream in
                guard let last = try stream.events.last(where: { $0.name == "availability" }) else { return false }
                return try products(last) == ["PANEL"] && sold(last) == 3
            }
        }
        for subscriber in subscribers { subscriber.close() }
        try await eventually(within: .seconds(20), "no subscriber in the status") {
            try await server.office.get("/operator/status").json()["subscribers"] == 0
        }
        #expect(try await server.process.stop() == .exited(0))
    }

    /// Each subscriber takes one descriptor here and one in the server, which inherits the limit.
    private func raiseFileLimit(to wanted: rlim_t) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur >= wanted else { throw TestSupportError("at most \(limit.rlim_max) files may be open") }
    }
}
