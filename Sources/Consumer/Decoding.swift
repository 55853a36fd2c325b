import Failpoints
import Intake
import Inventory

/// What was read, decoded as far as it may be.
enum ReadEntry: Sendable {
    case decoded(DecodedEntry)
    /// Suspected of bringing the process down: it is decoded when its turn comes, alone.
    case suspect(StreamEntry)

    var entry: StreamEntry {
        switch self {
        case .decoded(let decoded): decoded.entry
        case .suspect(let entry): entry
        }
    }

    /// Bytes of names and values.
    var size: Int {
        switch self {
        case .decoded(let decoded): decoded.size
        case .suspect(let entry): entry.size
        }
    }
}

/// The stage after reading: bytes become messages, or the reason why they can never be one. Knows nothing of the
/// catalogue, and so may run ahead of whatever is being decided.
enum Decoding {
    static func decode(_ entries: [StreamEntry]) -> [ReadEntry] {
        if entries.isEmpty { return [] }
        Failpoint.decodeBefore.pass()
        let read: [ReadEntry] = entries.map { $0.isSuspect ? .suspect($0) : .decoded(decode($0)) }
        Failpoint.decodeAfter.pass()
        return read
    }

    static func decode(_ entry: StreamEntry) -> DecodedEntry {
        if let reason = entry.unreadReason {
            let invalid = InvalidMessage(.entryNotRead, "the entry was not read: \(reason)")
            return DecodedEntry(entry: entry, content: .rejected(invalid), digest: [])
        }
        let payload = entry.payload
        Failpoint.decodeEntry.pass(over: payload?.copy ?? [])
        return switch MessageDecoder.decode(type: entry.type, payload: payload) {
        case .failure(let invalid):
            DecodedEntry(entry: entry, content: .rejected(invalid), digest: [])
        case .success(.checkout(let checkout)):
            DecodedEntry(Order(checkout), entry)
        case .success(.cancellation(let cancellation)):
            DecodedEntry(entry: entry, content: .cancellation(cancellation), digest: cancellation.contentDigest)
        case .success(.adjustment(let adjustment)):
            DecodedEntry(entry: entry, content: .adjustment(adjustment), digest: adjustment.contentDigest)
        }
    }
}

extension DecodedEntry {
    fileprivate convenience init(_ order: Order, _ entry: StreamEntry) {
        self.init(entry: entry, content: .order(order), digest: order.digest)
    }
}
