/// Texts that are only passed on, by number: where each stands in one array of UTF-8 bytes, most likely the message
/// they came in, which is shared and not copied.
///
/// An order has some fifteen of them, and ten thousand orders are in memory at full speed: as `String`s they were most
/// of what was set aside and given back.
package struct PackedTexts: Sendable {
    private struct Place {
        static let none = Place(start: .max, count: 0)
        var start: UInt32
        var count: UInt32
    }

    private var bytes: [UInt8]
    private var places: [Place] = []

    /// - Parameters:
    ///   - bytes: where texts may be found; less than 4 GiB.
    ///   - capacity: how many texts there will be, about.
    package init(in bytes: [UInt8] = [], capacity: Int) {
        self.bytes = bytes
        places.reserveCapacity(capacity)
    }

    /// Text `number` are these bytes, which are UTF-8.
    package mutating func set(_ number: Int, to range: Range<Int>) {
        while places.count <= number { places.append(.none) }
        places[number] = Place(
            start: UInt32(truncatingIfNeeded: range.lowerBound), count: UInt32(truncatingIfNeeded: range.count))
    }

    /// Text `number` is `text`, of which a copy is kept; nothing changes without one.
    package mutating func set(_ number: Int, to text: (some Sequence<UInt8>)?) {
        guard let text else { return }
        let start = bytes.count
        bytes.append(contentsOf: text)
        set(number, to: start..<bytes.count)
    }

    /// nil where none was set.
    package subscript(_ number: Int) -> String? {
        range(number).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// Gives the bytes of text `number`, nil where none was set.
    package func withBytes<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard let range = range(number) else { return body(nil) }
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private func range(_ number: Int) -> Range<Int>? {
        guard places.indices.contains(number), places[number].start != Place.none.start else { return nil }
        let start = Int(places[number].start)
        return start..<start + Int(places[number].count)
    }
}

extension PackedTexts: Equatable {
    /// The same texts, byte by byte, wherever they stand.
    package static func == (left: PackedTexts, right: PackedTexts) -> Bool {
        (0..<max(left.places.count, right.places.count)).allSatisfy { number in
            left.range(number).map { left.bytes[$0] } == right.range(number).map { right.bytes[$0] }
        }
    }
}
