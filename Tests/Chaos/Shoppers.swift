import Foundation
import Randomness
import TestSupport

/// Clients that request availability from the shopfront one after another, and subscribers. Everything they are shown
/// is kept.
struct Shoppers {
    let shopfront: Shopfront
    let catalogues: Catalogues
    let history: ShownHistory
    let journal: ChaosJournal

    private static let pollInterval = 20...200
    /// A heartbeat is due every ten seconds.
    private static let silenceLimit = Duration.seconds(30)

    // MARK: - Requesting

    /// Sends requests repeatedly, one at a time.
    func ask(_ name: String, _ first: SeededGenerator) async {
        var generator = first
        while !Task.isCancelled {
            if let server = shopfront.server {
                let products = catalogues.latest.shelves.map(\.product).shuffled(using: &generator)
                    .prefix(Int.random(in: 1...20, using: &generator))
                let list = products.map { "product=\($0)" }.joined(separator: "&")
                let target = generator.chance(75) ? "/v1/availability?\(list)" : "/v1/products?limit=200"
                do {
                    let reply = try await server.address.request("GET", target, within: .seconds(20))
                    take(reply, reader: "\(name) of server \(server.number)")
                } catch {
                    // The server has ended in the meantime.
                    journal.count(Shopfront.heading, "requests cut off")
                    if shopfront.server?.number == server.number {
                        journal.note("\(name): \(error)")
                        try? await Task.sleep(for: .milliseconds(200))
                    }
                }
            }
            try? await Task.sleep(for: .milliseconds(Int.random(in: Self.pollInterval, using: &generator)))
        }
    }

    private func take(_ reply: HTTPReply, reader: String) {
        journal.count(Shopfront.heading, "answers \(reply.status)")
        switch reply.status {
        case 200: take(Data(reply.body), reader: reader)
        // For 404: a product that the consumer has not taken over yet.
        case 404, 503: break
        default: journal.violation(.responses, "\(reader): \(reply.status) \(reply.text.prefix(300))")
        }
    }

    private func take(_ data: Data, reader: String, mayBeNewer: Bool = false) {
        do {
            history.append(Shown(reader: reader, body: try Shown.Body.decode(data), at: Date(), mayBeNewer: mayBeNewer))
        } catch {
            journal.violation(.responses, "\(reader): \(error) in \(String(decoding: data.prefix(300), as: UTF8.self))")
        }
    }

    // MARK: - Watching

    /// Subscribes to the events of all products repeatedly, each time for a while.
    func watch(_ first: SeededGenerator) async {
        var generator = first
        var (number, last) = (0, (server: 0, id: String?.none))
        while !Task.isCancelled {
            guard let server = shopfront.server else {
                try? await Task.sleep(for: .milliseconds(100))
                continue
            }
            // It resumes with the state of another server.
            if last.server != server.number { last = (server.number, generator.chance(50) ? last.id : nil) }
            number += 1
            let end = ContinuousClock.now + .seconds(Int.random(in: 3...20, using: &generator))
            await follow(server, number, until: end, &last.id)
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...500, using: &generator)))
        }
    }

    private func follow(
        _ server: Shopfront.Server, _ number: Int, until end: ContinuousClock.Instant, _ last: inout String?
    ) async {
        let products = catalogues.latest.shelves.map { "product=\($0.product)" }.joined(separator: "&")
        let target = "/v1/events?\(products)"
        // One reader per server: what it sees after reconnecting must not be older either.
        let reader = "events of server \(server.number)"
        do {
            let stream =
                if let last {
                    try await EventStream.open(server.address, target, ["Last-Event-ID": last])
                } else {
                    try await EventStream.open(server.address, target)
                }
            defer { stream.close() }
            let head = try await stream.head(within: .seconds(20))
            journal.count(Shopfront.heading, "subscriptions \(head.status)")
            if head.status != 200 {
                if ![404, 503].contains(head.status) { journal.violation(.responses, "\(reader): \(head.status)") }
                try await Task.sleep(for: .milliseconds(500))
                return
            }
            try await take(stream, reader, until: end, &last)
        } catch {
            journal.count(Shopfront.heading, "subscriptions cut off")
            if shopfront.server?.number == server.number, !Task.isCancelled { journal.note("\(reader): \(error)") }
        }
    }

    private func take(
        _ stream: EventStream, _ reader: String, until end: ContinuousClock.Instant, _ last: inout String?
    ) async throws {
        var given = 0
        var mayBeNewer = false
        var heard = ContinuousClock.now
        while ContinuousClock.now < end, !Task.isCancelled, !stream.connection.isClosed {
            let events = try stream.events.dropFirst(given)
            given += events.count
            if !events.isEmpty { heard = .now }
            for event in events {
                journal.count(Shopfront.heading, "events \(event.name)")
                if event.name == "missed" { mayBeNewer = true }
                guard event.name == "availability" else { continue }
                take(Data(event.data.utf8), reader: reader, mayBeNewer: mayBeNewer)
                mayBeNewer = false
                last = event.id ?? last
            }
            if ContinuousClock.now - heard > Self.silenceLimit {
                return journal.violation(.responses, "\(reader): no event and no heartbeat for \(Self.silenceLimit)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
