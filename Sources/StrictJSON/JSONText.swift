/// The bytes of a string.
package enum JSONText {
    /// The string has no escapes: a range of the scanner's bytes.
    case place(Range<Int>)
    /// The string was written with escapes: the bytes they stand for.
    case unescaped(ArraySlice<UInt8>)
}
