import Ingest

/// Deliveries that were read and are not decoded yet, in the order of the stream. At most one of them is being decoded.
struct UndecodedQueue {
    enum DecodeState {
        case idle
        /// The first delivery is being decoded.
        case inProgress
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

    /// Starts decoding the next delivery.
    /// - Returns: the delivery to decode; `nil` if another one is being decoded, or there is none.
    mutating func next() -> [StreamEntry]? {
        guard case .idle = decoding, let first = deliveries.first else { return nil }
        decoding = .inProgress
        return first
    }

    /// Ends the decoding of the delivery that `next` returned.
    /// - Returns: that delivery.
    mutating func finish() -> [StreamEntry] {
        assert(decoding == .inProgress, "nothing is being decoded")
        let delivery = deliveries.removeFirst()
        bytes -= delivery.size
        decoding = .idle
        return delivery
    }
}

extension Sequence<StreamEntry> {
    /// Bytes of all names and values.
    fileprivate var size: Int { reduce(0) { $0 + $1.size } }
}
