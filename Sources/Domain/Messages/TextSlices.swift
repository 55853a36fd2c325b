/// Numbered texts that are passed on without being processed. Each is stored as a range in one array of UTF-8 bytes,
/// usually the Redis reply that contained their message, which is shared and not copied.
///
/// An order has about fifteen texts, and at full speed ten thousand orders are in memory: as `String`s, the texts were
/// most of the allocations.
package struct TextSlices: Sendable {
    /// A range of bytes. Offsets continue from the shared bytes into our own.
    private struct Place {
        static let none = Place(start: .max, count: 0)
        var start: UInt32
        var count: UInt32
    }

    private let shared: [UInt8]
    /// The bytes of texts that are not in `shared`.
    private var own: [UInt8] = []
    private var places: [Place] = []

    /// Creates an empty collection over bytes that may be shared.
    /// - Parameters:
    ///   - bytes: the shared bytes; less than 4 GiB together with the texts that are set.
    ///   - capacity: the approximate number of texts.
    package init(in bytes: [UInt8] = [], capacity: Int) {
        shared = bytes
        places.reserveCapacity(capacity)
    }

    /// Sets text `number` to this range of the shared bytes, which must be UTF-8.
    package mutating func set(_ number: Int, to range: Range<Int>) {
        while places.count <= number { places.append(.none) }
        places[number] = Place(
            start: UInt32(truncatingIfNeeded: range.lowerBound), count: UInt32(truncatingIfNeeded: range.count))
    }

    /// Sets text `number` to a copy of `text`; nil changes nothing.
    package mutating func set(_ number: Int, to text: (some Sequence<UInt8>)?) {
        guard let text else { return }
        let start = own.count
        own.append(contentsOf: text)
        set(number, to: shared.count + start..<shared.count + own.count)
    }

    /// The text with this number, or nil if it was not set.
    package subscript(_ number: Int) -> String? {
        withBytes(number) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Calls `body` with the bytes of text `number`, or with nil if it was not set.
    package func withBytes<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard places.indices.contains(number), places[number].start != Place.none.start else { return body(nil) }
        let start = Int(places[number].start)
        let count = Int(places[number].count)
        let isOwn = start >= shared.count
        return (isOwn ? own : shared).withUnsafeBytes { bytes in
            let first = isOwn ? start - shared.count : start
            return body(UnsafeRawBufferPointer(rebasing: bytes[first..<first + count]))
        }
    }
}

extension TextSlices: Equatable {
    /// Compares the texts byte by byte, wherever they are stored.
    package static func == (left: TextSlices, right: TextSlices) -> Bool {
        (0..<max(left.places.count, right.places.count)).allSatisfy { number in
            left.withBytes(number) { left in
                right.withBytes(number) { right in
                    guard let left, let right else { return left == nil && right == nil }
                    return left.elementsEqual(right)
                }
            }
        }
    }
}
