import Domain
import StrictJSON

/// The path of a field in a payload, formatted only when it is reported.
struct FieldPath: CustomStringConvertible {
    enum Parent {
        case payload
        case item(Int)
        case object(StaticString)
    }

    var parent: Parent
    var field: StaticString

    init(_ parent: Parent, _ field: StaticString) {
        self.parent = parent
        self.field = field
    }

    var description: String {
        switch parent {
        case .payload: "\(field)"
        case .item(let line): "items[\(line)].\(field)"
        case .object(let name): "\(name).\(field)"
        }
    }
}

/// Reads a payload's fields, each by the rules for its kind.
///
/// The detail of an invalid message quotes numbers in fields that must be numbers; of a string it contains at most the
/// size.
struct FieldReader {
    private var scanner: JSONScanner

    private init(_ payload: ByteSlice) throws(InvalidMessage) {
        do { scanner = try JSONScanner(payload.array, at: payload.place) } catch { throw InvalidMessage(error) }
    }

    /// Returns the result of `body`, which must read all of `payload`.
    ///
    /// A payload that is not JSON is reported as invalid JSON, even if an invalid field precedes the syntax error: if
    /// `body` finds an invalid field, the payload is read again to its end. So a valid payload is read only once.
    static func read<Value>(
        _ payload: ByteSlice, _ body: (inout FieldReader) throws(InvalidMessage) -> Value
    ) throws(InvalidMessage) -> Value {
        do throws(InvalidMessage) {
            var fields = try FieldReader(payload)
            let value = try body(&fields)
            try fields.finish()
            return value
        } catch {
            var fields = try FieldReader(payload)
            try fields.skip()
            try fields.finish()
            throw error
        }
    }

    /// Reads a string, or returns nil for null. U+0000 is refused: SQLite's shell and its functions take it for the end
    /// of a string, so the ledger would show less than it holds.
    mutating func text(_ path: FieldPath) throws(InvalidMessage) -> String? {
        guard let (text, hadEscapes) = try string(path) else { return nil }
        // U+0000 can only have been written as an escape.
        if hadEscapes { try refuseNUL(in: text.utf8, path) }
        return text
    }

    /// Reads a string into `texts`, by the same rules; null stores nothing.
    mutating func text(_ path: FieldPath, into texts: inout TextSlices, _ number: Int) throws(InvalidMessage) {
        guard let kind = try kindUnlessNull() else { return }
        guard kind == .string else { throw wrongType(path, "a string", kind) }
        let text: JSONText
        do { text = try scanner.readTextBytes() } catch { throw InvalidMessage(error) }
        switch text {
        case .place(let range): texts.set(number, to: range)
        case .unescaped(let bytes):
            try refuseNUL(in: bytes, path)
            texts.set(number, to: bytes)
        }
    }

    /// Creates storage for texts that may refer to the payload's bytes.
    func packedTexts(capacity: Int) -> TextSlices { TextSlices(in: scanner.bytes, capacity: capacity) }

    private func refuseNUL(in bytes: some Sequence<UInt8>, _ path: FieldPath) throws(InvalidMessage) {
        if bytes.contains(0) { throw InvalidMessage(.invalidValue, "\(path): contains U+0000") }
    }

    /// Reads an id, or returns nil for null.
    mutating func identifier(_ path: FieldPath) throws(InvalidMessage) -> Identifier? {
        guard let (text, _) = try string(path) else { return nil }
        if let violation = Identifier.violation(in: text) {
            throw InvalidMessage(.invalidValue, "\(path): \(violation)")
        }
        return Identifier(text)
    }

    /// Reads a number written as an integer, or returns nil for null.
    mutating func integer(_ path: FieldPath, in range: ClosedRange<Int64>) throws(InvalidMessage) -> Int64? {
        guard let kind = try kindUnlessNull() else { return nil }
        guard kind == .number else { throw wrongType(path, "an integer", kind) }
        let number: JSONNumber
        do { number = try scanner.readNumber() } catch { throw InvalidMessage(error) }
        if let integer = number.integer, range.contains(integer) { return integer }
        guard number.isInteger else {
            throw InvalidMessage(.wrongType, "\(path): must be an integer, is \(Self.shown(number))")
        }
        throw InvalidMessage(
            .invalidValue, "\(path): must be \(range.lowerBound) to \(range.upperBound), is \(Self.shown(number))")
    }

    /// Enters an object. Returns false for null.
    mutating func enterObject(_ path: @autoclosure () -> String) throws(InvalidMessage) -> Bool {
        guard let kind = try kindUnlessNull() else { return false }
        guard kind == .object else { throw wrongType(path(), "an object", kind) }
        do { try scanner.enterObject() } catch { throw InvalidMessage(error) }
        return true
    }

    /// Reads an array of at most `limit` elements, or returns nil for null. Too many elements are reported first: an
    /// error thrown by `element` is reported only if there are at most `limit` elements.
    mutating func array<Element>(
        _ path: StaticString, limit: Int,
        _ element: (inout FieldReader, _ index: Int) throws(InvalidMessage) -> Element
    ) throws(InvalidMessage) -> [Element]? {
        guard let kind = try kindUnlessNull() else { return nil }
        guard kind == .array else { throw wrongType(path, "an array", kind) }
        let start = scanner.offset
        do throws(InvalidMessage) {
            var elements: [Element] = []
            try enterArray()
            while try nextElement() {
                if elements.count == limit { throw InvalidMessage(.tooManyItems, "\(path): more than \(limit)") }
                elements.append(try element(&self, elements.count))
            }
            return elements
        } catch {
            let count = try countElements(at: start)
            guard count > limit else { throw error }
            throw InvalidMessage(.tooManyItems, "\(path): has \(count) items; at most \(limit) are allowed")
        }
    }

    /// Reads true or false, or returns nil for null.
    mutating func boolean(_ path: FieldPath) throws(InvalidMessage) -> Bool? {
        guard let kind = try kindUnlessNull() else { return nil }
        guard kind == .bool else { throw wrongType(path, "true or false", kind) }
        do { return try scanner.readBool() } catch { throw InvalidMessage(error) }
    }

    /// Enters the payload itself, which must be an object.
    mutating func enterPayload() throws(InvalidMessage) {
        guard try enterObject("payload") else {
            throw InvalidMessage(.wrongType, "payload: must be an object, is null")
        }
    }

    private func wrongType(_ path: some CustomStringConvertible, _ wanted: String, _ kind: JSONKind) -> InvalidMessage {
        InvalidMessage(.wrongType, "\(path): must be \(wanted), is \(kind.rawValue)")
    }

    private static func shown(_ number: JSONNumber) -> String {
        number.text.utf8.count <= 24 ? number.text : "a number of \(number.text.utf8.count) characters"
    }
}

// Wrappers for the scanner's methods; their errors become dead letters. They are written out because a generic wrapper
// was not specialised and took a third of the decoding time.
extension FieldReader {
    mutating func nextKey() throws(InvalidMessage) -> JSONKey? {
        do { return try scanner.nextKey() } catch { throw InvalidMessage(error) }
    }

    mutating func skip() throws(InvalidMessage) {
        do { try scanner.skipValue() } catch { throw InvalidMessage(error) }
    }

    private mutating func enterArray() throws(InvalidMessage) {
        do { try scanner.enterArray() } catch { throw InvalidMessage(error) }
    }

    private mutating func nextElement() throws(InvalidMessage) -> Bool {
        do { return try scanner.nextElement() } catch { throw InvalidMessage(error) }
    }

    private func countElements(at offset: Int) throws(InvalidMessage) -> Int {
        do { return try scanner.countElements(at: offset) } catch { throw InvalidMessage(error) }
    }

    private mutating func finish() throws(InvalidMessage) {
        do { try scanner.finish() } catch { throw InvalidMessage(error) }
    }

    private mutating func string(_ path: FieldPath) throws(InvalidMessage) -> (text: String, hadEscapes: Bool)? {
        guard let kind = try kindUnlessNull() else { return nil }
        guard kind == .string else { throw wrongType(path, "a string", kind) }
        do { return try scanner.readText() } catch { throw InvalidMessage(error) }
    }

    /// Returns the kind of the next value, or nil for null, which is consumed: it means the same as an absent field.
    private mutating func kindUnlessNull() throws(InvalidMessage) -> JSONKind? {
        do {
            let kind = try scanner.peek()
            guard kind == .null else { return kind }
            try scanner.readNull()
            return nil
        } catch {
            throw InvalidMessage(error)
        }
    }
}

extension InvalidMessage {
    init(_ error: JSONError) {
        self.init(error.kind == .invalidUTF8 ? .invalidUTF8 : .invalidJSON, "payload: \(error)")
    }
}
