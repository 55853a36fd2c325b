import TextEncodings

extension JSONScanner {
    package mutating func readNull() throws(JSONError) {
        skipBlanks()
        try scanWord("null")
    }

    package mutating func readBool() throws(JSONError) -> Bool {
        skipBlanks()
        let isTrue = offset < end && bytes[offset] == UInt8(ascii: "t")
        try scanWord(isTrue ? "true" : "false")
        return isTrue
    }

    package mutating func readNumber() throws(JSONError) -> JSONNumber {
        skipBlanks()
        let range = try scanNumber()
        return JSONNumber(unchecked: String(decoding: bytes[range], as: UTF8.self))
    }

    package mutating func readString() throws(JSONError) -> String { try readText().text }

    /// Reads a string, and returns whether it was written with escapes: only then can it contain control characters.
    package mutating func readText() throws(JSONError) -> (text: String, hadEscapes: Bool) {
        let token = try readToken()
        return (text(of: token), token.hasEscapes)
    }

    /// Reads a string's bytes without creating a `String`.
    package mutating func readTextBytes() throws(JSONError) -> JSONText {
        let token = try readToken()
        if !token.hasEscapes { return .place(token.start..<token.end) }
        return .unescaped(Self.unescape(bytes[token.start..<token.end]))
    }

    private mutating func readToken() throws(JSONError) -> StringToken {
        skipBlanks()
        guard offset < end, bytes[offset] == UInt8(ascii: "\"") else { throw expected("a string") }
        return try scanString()
    }

    func text(of token: StringToken) -> String {
        let content = bytes[token.start..<token.end]
        return String(decoding: token.hasEscapes ? Self.unescape(content) : content, as: UTF8.self)
    }

    private mutating func scanWord(_ word: StaticString) throws(JSONError) {
        for position in 0..<word.utf8CodeUnitCount {
            guard offset + position < end, bytes[offset + position] == word.utf8Start[position] else {
                // Another word with the same first letter.
                throw expected("a value")
            }
        }
        offset += word.utf8CodeUnitCount
    }

    // MARK: Numbers

    /// `-`? (`0` | `1`–`9` digits) (`.` digits)? (`e` sign? digits)?
    mutating func scanNumber() throws(JSONError) -> Range<Int> {
        let start = offset
        if offset < end, bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let first = offset
        try scanDigits()
        if bytes[first] == UInt8(ascii: "0"), offset > first + 1 {
            throw failure(.syntax, at: first, "a number must not have leading zeros")
        }
        if offset < end, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try scanDigits()
        }
        if offset < end, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < end, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            try scanDigits()
        }
        return start..<offset
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = offset
        while offset < end, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[offset] { offset += 1 }
        if offset == start { throw expected("a digit") }
    }

    // MARK: Strings

    /// Scans from the opening quote to just after the closing quote.
    mutating func scanString() throws(JSONError) -> StringToken {
        let start = offset + 1
        var index = start
        var hasEscapes = false
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                offset = index + 1
                return StringToken(start: start, end: index, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index = try endOfEscape(at: index)
            } else if byte < 0x20 {
                throw failure(.syntax, at: index, "a control character in a string must be escaped")
            } else {
                index += 1
            }
        }
        throw expected("the string's closing quote", at: index)
    }

    private func endOfEscape(at backslash: Int) throws(JSONError) -> Int {
        let letter = backslash + 1
        guard letter < end else { throw expected("an escape", at: letter) }
        switch bytes[letter] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return letter + 1
        case UInt8(ascii: "u"):
            break
        default:
            throw expected(#"an escape: one of " \ / b f n r t u"#, at: letter)
        }
        let unit = try codeUnit(at: letter + 1)
        guard UTF16.isSurrogate(unit) else { return letter + 5 }
        guard UTF16.isLeadSurrogate(unit), letter + 6 < end, bytes[letter + 5] == UInt8(ascii: "\\"),
            bytes[letter + 6] == UInt8(ascii: "u"), UTF16.isTrailSurrogate(try codeUnit(at: letter + 7))
        else {
            throw failure(.syntax, at: backslash, "half of a surrogate pair without the other half")
        }
        return letter + 11
    }

    private func codeUnit(at start: Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for index in start..<start + 4 {
            guard index < end, let digit = bytes[index].hexDigitValue else {
                throw expected("four hexadecimal digits", at: min(index, end))
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Decodes the content of a string whose escapes `scanString` has validated.
    static func unescape(_ content: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        var units: [UInt16] = []
        var rest = content
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
                output.append(byte)
                continue
            }
            switch letter {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                units.append(rest.prefix(4).reduce(0) { $0 << 4 | UInt16($1.hexDigitValue ?? 0) })
                rest = rest.dropFirst(4)
                if let lead = units.last, UTF16.isLeadSurrogate(lead) { continue }
                output.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
                units.removeAll(keepingCapacity: true)
            default: output.append(letter)
            }
        }
        return output[...]
    }
}
