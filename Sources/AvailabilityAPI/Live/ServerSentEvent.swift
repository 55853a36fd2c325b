import NIOCore

/// Names a state of the counters in an event stream, `EPOCH.SEQ`: what a client that comes back says it has seen last.
struct EventID: Sendable, Comparable, CustomStringConvertible {
    var epoch: Int64
    var seq: Int64

    init(_ version: SnapshotVersion) {
        (epoch, seq) = (version.epoch, version.seq)
    }

    /// - Parameter text: a `Last-Event-ID`; nil for one that is none of ours.
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

/// Events of the stream `/v1/events`, as they are sent.
enum ServerSentEvent {
    /// Milliseconds that a browser waits before it comes back.
    static let retryTimes = 1_500...5_000

    /// How long the browser of this connection waits: where a process ends, thousands come back, and not all at once.
    static func retry() -> ByteBuffer { ByteBuffer(string: "retry: \(Int.random(in: retryTimes))\n\n") }

    /// Figures of some products, in the shape of `/v1/availability`.
    /// - Parameter id: a state that is not after that of any figures sent so far; nil: that of these.
    static func availability(_ availability: [ProductAvailability], _ version: SnapshotVersion, id: EventID? = nil)
        -> ByteBuffer
    {
        event("availability", id: id ?? EventID(version)) { buffer in
            version.writeHead(into: &buffer)
            ProductReads.write(availability, into: &buffer) { $0.writeAvailability(into: &$1) }
            buffer.writeStaticString("}")
        }
    }

    /// So many events were dropped; all figures follow again.
    static func missed(_ count: Int) -> ByteBuffer {
        event("missed") { $0.writeString(#"{"missed":\#(count)}"#) }
    }

    /// The figures cannot be read; those sent before may be old.
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

    /// `data` must be one line.
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
