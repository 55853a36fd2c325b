/// Percent-encoding as in URLs (RFC 3986, section 2.1).
package enum PercentEncoding {
    /// Decodes percent-encoded text.
    /// - Parameter plusIsSpace: whether + means a space, as in the query of a form.
    /// - Returns: nil if a % is not followed by two hexadecimal digits.
    package static func decode(_ text: some Sequence<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.underestimatedCount)
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next()?.hexDigitValue, let low = iterator.next()?.hexDigitValue else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return bytes
    }

    /// Encodes bytes.
    /// - Parameter isKept: whether an ASCII byte is left unencoded.
    package static func encode(_ bytes: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool) -> String {
        var text = ""
        for byte in bytes {
            if byte < 0x80, isKept(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + [byte].hex.uppercased()
            }
        }
        return text
    }
}
