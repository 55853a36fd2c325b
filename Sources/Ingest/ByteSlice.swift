/// Bytes within a shared array: the messages of a reply are not copied out of it.
package struct ByteSlice: Sendable {
    package let array: [UInt8]
    package let place: Range<Int>

    package init(_ array: [UInt8], at place: Range<Int>) {
        self.array = array
        self.place = place
    }

    /// All of an array.
    package init(_ array: [UInt8]) {
        self.init(array, at: array.indices)
    }

    package var count: Int { place.count }
    /// A copy of the bytes.
    package var copy: [UInt8] { [UInt8](array[place]) }

    /// A copy of the first bytes.
    package func prefix(_ count: Int) -> [UInt8] { [UInt8](array[place.prefix(count)]) }

    func equals(_ text: String) -> Bool {
        text.utf8.count == count && array.withUnsafeBytes { $0[place].elementsEqual(text.utf8) }
    }
}
