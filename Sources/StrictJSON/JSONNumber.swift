/// A number as text: reading and writing it loses nothing.
package struct JSONNumber: Sendable, Equatable {
    package let text: String

    package init(_ integer: Int64) {
        text = String(integer)
    }

    /// Creates a number with three decimals, for example seconds from milliseconds.
    package init(thousandths: Int64) {
        let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1_000)
        text = "\(thousandths < 0 ? "-" : "")\(whole).\(String(rest + 1_000).dropFirst())"
    }

    /// - Parameter text: must be a valid JSON number.
    init(unchecked text: String) {
        self.text = text
    }

    /// Whether the number is written without fraction and exponent, whatever its size.
    package var isInteger: Bool {
        text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    /// The number, if it is written as an integer (2.0 and 1e3 are not) and fits in `Int64`. -0 is 0.
    package var integer: Int64? { Int64(text) }
}
