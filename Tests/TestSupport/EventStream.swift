import Synchronization

/// A subscriber to server-sent events that parses them as browsers do.
package final class EventStream: Sendable {
    package struct Event: Sendable, Equatable {
        /// The id of this event itself; nil if it has none.
        package var id: String?
        package var name = "message"
        package var data = ""
    }

    package let connection: HTTPConnection
    private let state = Mutex(State())

    private struct State {
        var reader = HTTPReplyReader(answersHEAD: false)
        var unread: [UInt8] = []
        var events: [Event] = []
        var given = 0
        var retry: Int?
    }

    private init(_ connection: HTTPConnection) {
        self.connection = connection
    }

    /// Sends the request and returns without waiting for the response.
    /// - Parameter reads: false for a subscriber that does not read until `startReading`.
    package static func open(
        _ address: HTTPAddress, _ target: String, _ headers: KeyValuePairs<String, String> = [:], reads: Bool = true,
        version: String = "1.1"
    ) async throws -> EventStream {
        let connection = try await HTTPConnection.connect(to: address, reads: reads)
        connection.send("GET", target, headers, version: version)
        return EventStream(connection)
    }

    package func startReading() { connection.startReading() }

    package func close() { connection.close() }

    /// Waits for the head of the response. A response other than 200 has no events.
    package func head(within limit: Duration = .seconds(10)) async throws -> HTTPReply {
        try await eventually(within: limit, "the head of the event stream") {
            try poll()
            return state.withLock { $0.reader.reply != nil }
        }
        guard let head = state.withLock({ $0.reader.reply }) else { throw TestSupportError("no head") }
        return head
    }

    /// All events received so far.
    package var events: [Event] {
        get throws {
            try poll()
            return state.withLock { $0.events }
        }
    }

    /// The time in milliseconds after which a browser would reconnect, if the stream has set it.
    package var retry: Int? { state.withLock { $0.retry } }

    /// Returns the next event that has not been returned yet.
    /// - Parameter name: skips events with other names.
    package func next(_ name: String? = nil, within limit: Duration = .seconds(10)) async throws -> Event {
        var event: Event?
        do {
            try await eventually(within: limit, "the next event") {
                try poll()
                if let reply = state.withLock({ $0.reader.reply }), reply.status != 200 {
                    throw TestSupportError("\(reply.status) \(reply.text)")
                }
                event = state.withLock { state in
                    while state.given < state.events.count {
                        state.given += 1
                        let event = state.events[state.given - 1]
                        if name == nil || event.name == name { return event }
                    }
                    return nil
                }
                return event != nil
            }
        } catch let error as TestSupportError {
            let seen = state.withLock { $0.events.suffix(5).map { "\($0.name) \($0.data.prefix(300))" } }
            throw TestSupportError("\(error) (\(name ?? "any"); the last events: \(seen))")
        }
        guard let event else { throw TestSupportError("no event") }
        return event
    }

    private func poll() throws {
        try state.withLock { state in
            try connection.read(into: &state.reader)
            guard state.reader.reply?.status == 200 else { return }
            state.unread += state.reader.takeBody()
            while let end = state.unread.firstRange(of: [10, 10]) {
                let block = String(decoding: state.unread[..<end.lowerBound], as: UTF8.self)
                state.unread.removeSubrange(..<end.upperBound)
                try Self.read(block, into: &state)
            }
        }
    }

    /// Parses one block of lines. Lines that an event must not have are errors here, whereas browsers ignore them.
    private static func read(_ block: String, into state: inout State) throws {
        var event = Event()
        var data: [Substring] = []
        for line in block.split(separator: "\n") where !line.hasPrefix(":") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
            switch parts[0] {
            case "id": event.id = String(value)
            case "event": event.name = String(value)
            case "data": data.append(value)
            case "retry":
                guard let retry = Int(value) else { throw TestSupportError("retry is “\(value)”") }
                state.retry = retry
            default: throw TestSupportError("“\(line)” is not a line of an event")
            }
        }
        guard !data.isEmpty else { return }
        event.data = data.joined(separator: "\n")
        state.events.append(event)
    }
}
