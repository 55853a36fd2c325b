/// A range of bytes in a shared array, so that messages are not copied out of the reply that contains them.
package struct ByteSlice: Sendable {
    package let array: [UInt8]
    package let place: Range<Int>

    package init(_ array: [UInt8], at place: Range<Int>) {
        self.array = array
        self.place = place
    }

    /// Creates a slice of the whole array.
    package init(_ array: [UInt8]) {
        self.init(array, at: array.indices)
    }

    package var count: Int { place.count }
    /// A copy of the bytes.
    package var copy: [UInt8] { [UInt8](array[place]) }

    /// Returns a copy of the first bytes.
    package func prefix(_ count: Int) -> [UInt8] { [UInt8](array[place.prefix(count)]) }

    func equals(_ text: String) -> Bool {
        text.utf8.count == count && array.withUnsafeBytes { $0[place].elementsEqual(text.utf8) }
    }
}
