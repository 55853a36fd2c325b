/// Texts that are only passed on, by number: where each stands in one array of UTF-8 bytes, most likely the reply
/// their message came in, which is shared and not copied.
///
/// An order has some fifteen of them, and ten thousand orders are in memory at full speed: as `String`s they were most
/// of what was set aside and given back.
package struct PackedTexts: Sendable {
    /// Counted on from the shared bytes into our own.
    private struct Place {
        static let none = Place(start: .max, count: 0)
        var start: UInt32
        var count: UInt32
    }

    private let shared: [UInt8]
    /// Of texts that do not stand in `shared`.
    private var own: [UInt8] = []
    private var places: [Place] = []

    /// - Parameters:
    ///   - bytes: where texts may be found; less than 4 GiB with those that are set.
    ///   - capacity: how many texts there will be, about.
    package init(in bytes: [UInt8] = [], capacity: Int) {
        shared = bytes
        places.reserveCapacity(capacity)
    }

    /// Text `number` are these of the bytes, which are UTF-8.
    package mutating func set(_ number: Int, to range: Range<Int>) {
        while places.count <= number { places.append(.none) }
        places[number] = Place(
            start: UInt32(truncatingIfNeeded: range.lowerBound), count: UInt32(truncatingIfNeeded: range.count))
    }

    /// Text `number` is `text`, of which a copy is kept; nothing changes without one.
    package mutating func set(_ number: Int, to text: (some Sequence<UInt8>)?) {
        guard let text else { return }
        let start = own.count
        own.append(contentsOf: text)
        set(number, to: shared.count + start..<shared.count + own.count)
    }

    /// nil where none was set.
    package subscript(_ number: Int) -> String? {
        withBytes(number) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Gives the bytes of text `number`, nil where none was set.
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

extension PackedTexts: Equatable {
    /// The same texts, byte by byte, wherever they stand.
    package static func == (left: PackedTexts, right: PackedTexts) -> Bool {
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
