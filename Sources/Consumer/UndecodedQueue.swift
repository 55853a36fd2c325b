import Ingest

/// Deliveries that were read and are not decoded yet, in the order of the stream. One at a time is being decoded.
struct UndecodedQueue {
    enum DecodeState {
        case idle
        /// The first delivery.
        case underWay
    }

    private var deliveries: [[StreamEntry]] = []
    private(set) var decoding = DecodeState.idle
    /// Bytes of names and values.
    private(set) var bytes = 0

    var isEmpty: Bool { deliveries.isEmpty }
    var first: StreamEntry? { deliveries.first?.first }
    var count: Int { deliveries.reduce(0) { $0 + $1.count } }

    mutating func append(_ entries: [StreamEntry]) {
        deliveries.append(entries)
        bytes += entries.size
    }

    /// The delivery that must be decoded now; nil while another one is being decoded, or when there is none.
    mutating func next() -> [StreamEntry]? {
        guard case .idle = decoding, let first = deliveries.first else { return nil }
        decoding = .underWay
        return first
    }

    /// Ends decoding of the delivery that `next` returned.
    /// - Returns: that delivery.
    mutating func finish() -> [StreamEntry] {
        assert(decoding == .underWay, "nothing is being decoded")
        let delivery = deliveries.removeFirst()
        bytes -= delivery.size
        decoding = .idle
        return delivery
    }
}

extension Sequence<StreamEntry> {
    /// Bytes of names and values of all of them.
    fileprivate var size: Int { reduce(0) { $0 + $1.size } }
}
