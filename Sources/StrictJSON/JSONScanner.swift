/// Reads JSON value by value, without building anything that the caller does not request.
///
/// The scanner is strict RFC 8259: accepted text has exactly one meaning. It refuses bytes that are not UTF-8, a byte
/// order mark, lone surrogates, control characters in strings, leading zeros, trailing commas and bytes, duplicate
/// keys, and nesting beyond `maximumDepth`. Foundation's decoder was tried first: it accepts 2.0 as an integer, uses
/// the last of two equal keys, and cannot report the position of an error.
///
/// The caller pulls: `peek` returns the kind of the next value, and one of the reading methods must follow. After
/// `enterObject`, call `nextKey` (and read one value each) until it returns nil; after `enterArray`, call `nextElement`
/// until it returns false; call `finish` at the end. After an error is thrown, the scanner must not be used again.
package struct JSONScanner {
    /// The maximum nesting depth. Messages need 3 levels, a catalogue's metadata a few; recursion stays far below the
    /// stack limit of any thread.
    package static let maximumDepth = 64

    /// Contains the text, which is valid UTF-8, possibly among other bytes.
    package let bytes: [UInt8]
    /// The start of the text in `bytes`; `end` is its end.
    private let start: Int
    let end: Int
    /// The offset of the next byte to read.
    package internal(set) var offset: Int
    private var depth = 0
    /// Whether the innermost open container has returned nothing yet. One flag is enough for all levels: when an inner
    /// container ends, the outer container has returned at least that one.
    private var isAtStart = false
    /// The keys of all open objects, the innermost last; `keyBases` contains the index at which each object's keys
    /// begin.
    private var keys: [StringToken] = []
    private var keyBases: [Int] = []

    /// The position of a string in the text, without its quotes.
    struct StringToken {
        var start: Int
        var end: Int
        var hasEscapes: Bool
    }

    /// Checks that the whole text is UTF-8, so that this error takes precedence over all others.
    ///
    /// - Parameter place: the range of the text in `bytes`; nil means all bytes. Positions in errors count from the
    ///   beginning of the text, returned ranges from that of `bytes`.
    package init(_ bytes: [UInt8], at place: Range<Int>? = nil) throws(JSONError) {
        self.init(known: bytes, at: place ?? 0..<bytes.count)
        do {
            _ = try UTF8Span(validating: bytes.span.extracting(start..<end))
        } catch {
            throw failure(.invalidUTF8, at: start + error.byteOffsets.lowerBound, "the bytes are not UTF-8")
        }
        keys.reserveCapacity(32)
        keyBases.reserveCapacity(8)
        if bytes[start..<end].starts(with: [0xEF, 0xBB, 0xBF]) {
            throw failure(.syntax, at: start, "the text starts with a byte order mark, which JSON must not have")
        }
    }

    private init(known bytes: [UInt8], at place: Range<Int>) {
        self.bytes = bytes
        start = place.lowerBound
        end = place.upperBound
        offset = start
    }

    // MARK: The next value

    /// Returns the kind of the next value.
    package mutating func peek() throws(JSONError) -> JSONKind {
        skipBlanks()
        guard offset < end else { throw expected("a value") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw expected("a value")
        }
    }

    /// Checks that only blanks follow. Must be called after the outermost value.
    package mutating func finish() throws(JSONError) {
        skipBlanks()
        if offset < end { throw expected("nothing more") }
    }

    // MARK: Containers

    package mutating func enterObject() throws(JSONError) {
        try enter(UInt8(ascii: "{"), "an object")
        keyBases.append(keys.count)
    }

    /// Reads the next member's key, after which its value must be read; nil at the end of the object.
    package mutating func nextKey() throws(JSONError) -> JSONKey? {
        try nextKeyToken().map { JSONKey($0, in: bytes) }
    }

    private mutating func nextKeyToken() throws(JSONError) -> StringToken? {
        guard try advance(to: UInt8(ascii: "}"), "a comma or }") else {
            try leaveObject()
            return nil
        }
        guard offset < end, bytes[offset] == UInt8(ascii: "\"") else { throw expected("a key in quotes") }
        let token = try scanString()
        keys.append(token)
        skipBlanks()
        guard offset < end, bytes[offset] == UInt8(ascii: ":") else { throw expected("a colon") }
        offset += 1
        return token
    }

    package mutating func enterArray() throws(JSONError) {
        try enter(UInt8(ascii: "["), "an array")
    }

    /// Returns whether the array has another element, which must then be read.
    package mutating func nextElement() throws(JSONError) -> Bool {
        let hasElement = try advance(to: UInt8(ascii: "]"), "a comma or ]")
        if !hasElement { depth -= 1 }
        return hasElement
    }

    /// Skips the next value with its content, validating it like any other value. Returns the range of its bytes.
    @discardableResult
    package mutating func skipValue() throws(JSONError) -> Range<Int> {
        let kind = try peek()
        let start = offset
        switch kind {
        case .null: try readNull()
        case .bool: _ = try readBool()
        case .number: _ = try scanNumber()
        case .string: _ = try scanString()
        case .array:
            try enterArray()
            while try nextElement() { try skipValue() }
        case .object:
            try enterObject()
            while try nextKeyToken() != nil { try skipValue() }
        }
        return start..<offset
    }

    /// Returns the number of elements of the array at `offset`, which must be the position of a value.
    package func countElements(at offset: Int) throws(JSONError) -> Int {
        var scanner = JSONScanner(known: bytes, at: start..<end)
        scanner.offset = offset
        var count = 0
        try scanner.enterArray()
        while try scanner.nextElement() {
            try scanner.skipValue()
            count += 1
        }
        return count
    }

    private mutating func enter(_ opening: UInt8, _ name: String) throws(JSONError) {
        skipBlanks()
        guard offset < end, bytes[offset] == opening else { throw expected(name) }
        guard depth < Self.maximumDepth else {
            throw failure(.tooDeep, at: offset, "more than \(Self.maximumDepth) nested containers")
        }
        offset += 1
        depth += 1
        isAtStart = true
    }

    /// Advances past the comma to the next member or element, or past the closing byte (returns false).
    private mutating func advance(to closing: UInt8, _ names: String) throws(JSONError) -> Bool {
        skipBlanks()
        guard offset < end else { throw expected(isAtStart ? "a value or the container's end" : names) }
        if bytes[offset] == closing {
            offset += 1
            isAtStart = false
            return false
        }
        if isAtStart {
            isAtStart = false
            return true
        }
        guard bytes[offset] == UInt8(ascii: ",") else { throw expected(names) }
        offset += 1
        skipBlanks()
        return true
    }

    private mutating func leaveObject() throws(JSONError) {
        depth -= 1
        let base = keyBases.removeLast()
        if let duplicate = firstDuplicate(in: keys[base...]) {
            throw failure(.duplicateKey, at: duplicate - 1, "the object has this key already")
        }
        keys.removeSubrange(base...)
    }

    mutating func skipBlanks() {
        while offset < end {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    func expected(_ what: String, at place: Int? = nil) -> JSONError {
        let place = place ?? offset
        return failure(.syntax, at: place, "expected \(what), found \(JSONError.found(at: place, in: bytes[..<end]))")
    }

    func failure(_ kind: JSONError.Kind, at place: Int, _ message: String) -> JSONError {
        JSONError(kind, at: place, in: bytes[start..<end], message)
    }
}
