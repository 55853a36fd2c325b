import NIOCore

/// Identifies a state of the counters in an event stream, as `EPOCH.SEQ`. A reconnecting client sends the last one it
/// received.
struct EventID: Sendable, Comparable, CustomStringConvertible {
    var epoch: Int64
    var seq: Int64

    init(_ version: SnapshotVersion) {
        (epoch, seq) = (version.epoch, version.seq)
    }

    /// - Parameter text: a `Last-Event-ID`. The result is nil if it has a different format.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int64(parts[0]), let seq = Int64(parts[1]) else { return nil }
        (self.epoch, self.seq) = (epoch, seq)
    }

    var description: String { "\(epoch).\(seq)" }

    static func < (left: EventID, right: EventID) -> Bool {
        (left.epoch, left.seq) < (right.epoch, right.seq)
    }
}

/// Encodes the events of the stream `/v1/events`.
enum ServerSentEvent {
    /// Milliseconds that a browser waits before it reconnects.
    static let retryTimes = 1_500...5_000

    /// Sets the reconnection delay of one connection. It is random: when a process ends, thousands of browsers
    /// reconnect, and should not all do so at once.
    static func retry() -> ByteBuffer { ByteBuffer(string: "retry: \(Int.random(in: retryTimes))\n\n") }

    /// The availability of some products, in the shape of `/v1/availability`.
    /// - Parameter id: a state that is not later than that of any availability sent so far; nil for `version`.
    static func availability(_ availability: [ProductAvailability], _ version: SnapshotVersion, id: EventID? = nil)
        -> ByteBuffer
    {
        event("availability", id: id ?? EventID(version)) { buffer in
            version.writeHead(into: &buffer)
            ProductReads.write(availability, into: &buffer) { $0.writeAvailability(into: &$1) }
            buffer.writeStaticString("}")
        }
    }

    /// Events were dropped; all availability is sent again.
    static func missed(_ count: Int) -> ByteBuffer {
        event("missed") { $0.writeString(#"{"missed":\#(count)}"#) }
    }

    /// Availability cannot be read; the values sent before may be stale.
    static func unavailable(_ detail: String) -> ByteBuffer {
        event("unavailable") { buffer in
            buffer.writeStaticString(#"{"detail":"#)
            buffer.writeJSON(detail)
            buffer.writeStaticString("}")
        }
    }

    /// Products, names or caps may have changed.
    static func catalogue(_ version: Int64) -> ByteBuffer {
        event("catalogue") { $0.writeString(#"{"catalogue":\#(version)}"#) }
    }

    static func heartbeat(asOf: String) -> ByteBuffer {
        event("heartbeat") { $0.writeString(#"{"as_of":"\#(asOf)"}"#) }
    }

    /// `data` must write a single line.
    private static func event(
        _ name: StaticString, id: EventID? = nil, _ data: (inout ByteBuffer) -> Void
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeStaticString("event: ")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\ndata: ")
        data(&buffer)
        buffer.writeStaticString("\n\n")
        return buffer
    }
}
