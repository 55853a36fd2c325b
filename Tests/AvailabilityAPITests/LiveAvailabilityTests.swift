import Counters
import Domain
import NIOCore
import StrictJSON
import TestSupport
import Testing

@testable import AvailabilityAPI

/// The events that subscribers receive, against a real Redis.
@Suite struct LiveAvailabilityTests {
    /// One parsed event.
    private struct Event: Equatable {
        var name: String
        var id: String?
        /// Units sold by product.
        var sold: [String: Int64] = [:]
        var data: String
    }

    /// Reads a subscriber's events one after another.
    private final class Reader {
        let subscriber: Subscriber
        let live: LiveAvailability
        private var waiting: [Event] = []

        init(_ subscriber: Subscriber, _ live: LiveAvailability) {
            (self.subscriber, self.live) = (subscriber, live)
        }

        /// The next event except heartbeats; `nil` at the end.
        func next() async throws -> Event? {
            while true {
                if let event = waiting.first {
                    waiting.removeFirst()
                    if event.name != "heartbeat" { return event }
                    continue
                }
                switch await subscriber.next() {
                case .events(let events): waiting = try events.flatMap { try LiveAvailabilityTests.parse($0.bytes) }
                case .missed: await live.catchUp(subscriber)
                case .over: return nil
                }
            }
        }
    }

    private static func parse(_ buffer: ByteBuffer) throws -> [Event] {
        try String(buffer: buffer).split(separator: "\n\n").map { text in
            var fields: [Substring: String] = [:]
            for line in text.split(separator: "\n") {
                let colon = try #require(line.firstIndex(of: ":"))
                fields[line[..<colon]] = String(line[line.index(colon, offsetBy: 2)...])
            }
            let data = try #require(fields["data"])
            var event = Event(name: try #require(fields["event"]), id: fields["id"], data: data)
            guard case .object(let object) = try JSONValue.parse(Array(data.utf8)),
                case .array(let products) = object["products"]
            else { return event }
            for case .object(let product) in products {
                if case .string(let id) = product["id"], case .number(let sold) = product["sold_quantity"] {
                    event.sold[id] = sold.integer
                }
            }
            return event
        }
    }

    /// Fast, so that a test need not wait.
    private static let pace = LiveAvailability.Pace(interval: .milliseconds(5), heartbeat: .seconds(60))

    private func withLive(
        _ shop: StorefrontFixture, _ pace: LiveAvailability.Pace = LiveAvailabilityTests.pace,
        _ body: (LiveAvailability) async throws -> Void
    ) async throws {
        let live = shop.live(pace)
        let running = Task { try await live.run() }
        try await body(live)
        running.cancel()
        try await running.value
    }

    private func reader(
        _ live: LiveAvailability, _ ids: Identifier..., after id: String? = nil
    ) async throws -> Reader {
        let subscriber = try await live.subscribe(
            to: ids, lastEventID: id.flatMap { EventID($0) }
        ) {}
        return Reader(subscriber, live)
    }

    @Test("First comes the current availability in one event, then each change of the watched products only")
    func changes() async throws {
        try await withStorefront { shop in
            try await shop.sell(1, of: "p:lamp")
            try await withLive(shop) { live in
                let reader = try await reader(live, "cube", "lamp")
                let first = try await reader.next()
                #expect(first?.name == "availability")
                #expect(first?.id == "1.1")
                #expect(first?.sold == ["cube": 0, "lamp": 1])
                try await shop.sell(2, of: "p:sheet")
                try await shop.sell(3, of: "p:cube", "v:red")
                let second = try await reader.next()
                #expect(second?.sold == ["cube": 3])
                // The state's id when the poll began; the sales may have followed.
                #expect(["1.1", "1.2", "1.3"].contains(second?.id))
                try await shop.sell(1, of: "p:lamp")
                #expect(try await reader.next()?.sold == ["lamp": 2])
                await live.unsubscribe(reader.subscriber)
                #expect(try await reader.next() == nil)
                #expect(live.subscriberCount.value == 0)
            }
        }
    }

    @Test("A reconnecting subscriber gets a full snapshot, and a catalogue event if the epoch has changed")
    func resuming() async throws {
        try await withStorefront { shop in
            try await withLive(shop) { live in
                let before = try await reader(live, "cube", "lamp")
                _ = try await before.next()
                try await shop.sell(2, of: "p:lamp")
                let last = try #require(try await before.next())
                await live.unsubscribe(before.subscriber)
                // Reverted before the next poll: a subscriber that saw the sale must receive the change.
                try await shop.sell(-2, of: "p:lamp")
                let again = try await reader(live, "cube", "lamp", after: last.id)
                #expect(try await again.next()?.sold == ["cube": 0, "lamp": 0])
                await live.unsubscribe(again.subscriber)
                for unusable in ["", "x", "1", "1.1.1"] {
                    let all = try await reader(live, "cube", "lamp", after: unusable)
                    #expect(try await all.next()?.sold.count == 2, "\(unusable)")
                    await live.unsubscribe(all.subscriber)
                }
                try await shop.install()
                let later = try await reader(live, "cube", "lamp", after: last.id)
                #expect(try await later.next()?.name == "catalogue")
                #expect(try await later.next()?.sold.count == 2)
            }
        }
    }

    @Test("A later subscriber gets newer availability than earlier ones; the next poll aligns them")
    func later() async throws {
        try await withStorefront { shop in
            var pace = Self.pace
            // No poll happens before the second subscription.
            pace.interval = .milliseconds(300)
            try await withLive(shop, pace) { live in
                let first = try await reader(live, "lamp")
                #expect(try await first.next()?.sold == ["lamp": 0])
                try await shop.sell(1, of: "p:lamp")
                let second = try await reader(live, "lamp")
                #expect(try await second.next()?.sold == ["lamp": 1])
                // Reverted before the next poll: the first subscriber never received the sale, the second must receive
                // the change.
                try await shop.sell(-1, of: "p:lamp")
                var sold = try #require(try await second.next()?.sold["lamp"])
                while sold != 0 { sold = try #require(try await second.next()?.sold["lamp"]) }
                #expect(sold == 0)
            }
        }
    }

    @Test("An outage of Redis is reported once, and followed by a full snapshot, changed or not")
    func outage() async throws {
        try await withStorefront { shop in
            try await withLive(shop) { live in
                let reader = try await reader(live, "cube", "lamp")
                _ = try await reader.next()
                let identity = shop.ledger.identity
                try await shop.server.command("HSET", shop.keys.stock, "ledger", "another")
                #expect(try await reader.next()?.name == "unavailable")
                await #expect(throws: AvailabilityUnavailable.self) { try await self.reader(live, "cube") }
                try await shop.sell(1, of: "p:lamp")
                try await shop.server.command("HSET", shop.keys.stock, "ledger", identity)
                let back = [try await reader.next(), try await reader.next()].compactMap { $0 }
                #expect(back.map(\.name) == ["availability", "availability"])
                #expect(back.reduce(into: [:]) { $0.merge($1.sold) { $1 } } == ["cube": 0, "lamp": 1])
            }
        }
    }

    @Test("A new catalogue is announced, and its caps are sent")
    func catalogue() async throws {
        try await withStorefront { shop in
            try await withLive(shop) { live in
                let reader = try await reader(live, "cube", "lamp")
                _ = try await reader.next()
                var catalogue = Catalogue.sample
                catalogue.products[1].cap = 99
                _ = try await shop.ledger.sync(catalogue)
                try await shop.install()
                let news = [try await reader.next(), try await reader.next()].compactMap { $0 }
                #expect(news.map(\.name) == ["catalogue", "availability"])
                #expect(news[0].data == #"{"catalogue":2}"#)
                #expect(news[1].data.contains(#""max_quantity":99"#))
            }
        }
    }

    @Test("More products than one poll reads are read in turn, and none is forgotten")
    func turns() async throws {
        try await withStorefront { shop in
            var pace = Self.pace
            pace.counters = 1
            try await withLive(shop, pace) { live in
                let reader = try await reader(live, "cube", "lamp", "sheet")
                _ = try await reader.next()
                try await shop.sell(1, of: "p:cube", "p:lamp", "p:sheet")
                var sold: [String: Int64] = [:]
                while sold.count < 3 {
                    let event = try #require(try await reader.next())
                    sold.merge(event.sold) { $1 }
                }
                #expect(sold == ["cube": 1, "lamp": 1, "sheet": 1])
            }
        }
    }

    @Test("A subscriber that does not keep up is sent the number of missed events, then a full snapshot")
    func slow() async throws {
        try await withStorefront { shop in
            try await withLive(shop) { live in
                let reader = try await reader(live, "lamp", "cube")
                let dropped = Subscriber.bufferedEvents + 5
                // The initial snapshot is already queued.
                for _ in 1..<dropped {
                    reader.subscriber.offer(CountedBuffer(ServerSentEvent.heartbeat(asOf: "t"), shop.unread))
                }
                try await shop.sell(2, of: "p:lamp")
                let missed = try #require(try await reader.next())
                #expect(missed.name == "missed")
                let again = try #require(try await reader.next())
                #expect(again.sold.count == 2)
                // Whether the sale came before or after the repeated snapshot, it is reported.
                let sold = again.sold["lamp"] == 2 ? 2 : try await reader.next()?.sold["lamp"]
                #expect(sold == 2)
                #expect([dropped, dropped + 1].map { #"{"missed":\#($0)}"# }.contains(missed.data))
            }
        }
    }

    @Test("Availability behind the ledger is not sent; once it is right again, all of it is sent")
    func behind() async throws {
        try await withStorefront { shop in
            try await shop.server.command("COPY", shop.keys.stock, "old")
            try await shop.sell(1, of: "p:sheet")
            try await shop.record("a")
            await shop.watch.poll()
            try await withLive(shop) { live in
                let reader = try await reader(live, "sheet", "lamp")
                #expect(try await reader.next()?.sold == ["sheet": 1, "lamp": 0])
                try await shop.server.command("COPY", "old", shop.keys.stock, "REPLACE")
                #expect(try await reader.next()?.name == "unavailable")
                await #expect(throws: AvailabilityUnavailable.self) {
                    _ = try await live.subscribe(to: ["sheet"], lastEventID: nil) {}
                }
                try await shop.install()
                var told: [String: Int64] = [:]
                while told.count < 2 {
                    let event = try #require(try await reader.next())
                    told.merge(event.sold) { $1 }
                }
                #expect(told == ["sheet": 1, "lamp": 0])
            }
        }
    }

    @Test("Heartbeats are sent when nothing else is")
    func heartbeats() async throws {
        try await withStorefront { shop in
            var pace = Self.pace
            pace.heartbeat = .milliseconds(20)
            try await withLive(shop, pace) { live in
                let subscriber = try await live.subscribe(to: ["cube"], lastEventID: nil) {}
                var beats = 0
                while beats < 3 {
                    guard case .events(let events) = await subscriber.next() else { break }
                    beats += try events.flatMap { try Self.parse($0.bytes) }.count { $0.name == "heartbeat" }
                }
                #expect(beats >= 3)
            }
        }
    }

    @Test("At shutdown, subscribers that have not read everything are disconnected")
    func endingBesideTheDeaf() async throws {
        try await withStorefront { shop in
            let live = shop.live(Self.pace)
            let running = Task { try await live.run() }
            let (deaf, hearing) = (Count(), Count())
            _ = try await live.subscribe(to: ["cube"], lastEventID: nil) { deaf.add() }
            let subscriber = try await live.subscribe(to: ["cube"], lastEventID: nil) { hearing.add() }
            _ = await subscriber.next()
            running.cancel()
            try await running.value
            #expect(deaf.value == 1 && hearing.value == 0)
        }
    }

    @Test("At shutdown, its subscribers end, and later ones end at once")
    func ending() async throws {
        try await withStorefront { shop in
            let live = shop.live(Self.pace)
            let running = Task { try await live.run() }
            let reader = try await reader(live, "cube")
            #expect(try await reader.next()?.name == "availability")
            running.cancel()
            try await running.value
            #expect(try await reader.next() == nil)
            let late = try await self.reader(live, "cube")
            #expect(try await late.next() == nil)
        }
    }
}
