import Concurrency
import Glibc
import Domain
import Ledger
import Files

/// The encoding of a JSON file, detected from its first bytes.
///
/// A byte order mark is not part of the text (RFC 8259, section 8.1): programs add it when they save a file. A message
/// on the stream is not a file; there it is an error.
enum TextEncoding {
    /// UTF-8 after `mark` bytes of a byte order mark.
    case utf8(mark: Int)
    case otherEncoding

    /// The number of bytes that are examined.
    static let bytes = 4

    init(_ bytes: some Collection<UInt8>) {
        let start = Array(bytes.prefix(Self.bytes))
        let isMarked = start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF])
        // Without a mark: JSON begins with two ASCII characters, or with a quote and a character other than U+0000.
        let zeros = start.map { $0 == 0 }
        let isWide = [[false, true], [true, false], [true, true, true, false]].contains { zeros.starts(with: $0) }
        self = isMarked || isWide ? .otherEncoding : .utf8(mark: start.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    }

    static let refusal = "is UTF-16 or UTF-32, and only UTF-8 is read. Save it as UTF-8"

    /// The text of a whole file without its mark, or nil if it has a different encoding.
    static func text(of bytes: [UInt8]) -> [UInt8]? {
        guard case .utf8(let mark) = TextEncoding(bytes) else { return nil }
        return mark == 0 ? bytes : Array(bytes.dropFirst(mark))
    }
}

/// Reads the lines of a file or of standard input one by one.
struct LineReader: ~Copyable {
    enum Line {
        case text([UInt8])
        /// Longer than any message can be; the line was skipped.
        case tooLong
    }

    /// Enough for the largest payload and its frame.
    static let maximumBytes = Limit.payloadBytes + 4_096

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private(set) var failure: String?

    /// - Parameter path: "-" for standard input.
    init(path: String) throws {
        descriptor =
            path == "-" ? STDIN_FILENO : FilePath.open(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw Failure(
                "publishing failed: on \(path): it cannot be read (\(String(cString: strerror(errno)))). Check the path and its permissions."
            )
        }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Skips a byte order mark. Call it before reading the first line.
    /// - Returns: whether the text is UTF-8, as far as its first bytes show.
    mutating func begin() async -> Bool {
        while buffer.count < TextEncoding.bytes, !isAtEnd { await fill() }
        guard case .utf8(let mark) = TextEncoding(buffer) else { return false }
        start = mark
        return true
    }

    /// The next line without its line end, or nil after the last line.
    mutating func next() async -> Line? {
        var isTooLong = false
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return isTooLong ? .tooLong : .text(Array(buffer[start..<end]))
            }
            if isAtEnd {
                guard start < buffer.count || isTooLong else { return nil }
                defer { start = buffer.count }
                return isTooLong ? .tooLong : .text(Array(buffer[start...]))
            }
            if buffer.count - start > Self.maximumBytes {
                isTooLong = true
                start = buffer.count
            }
            searched = buffer.count - start
            buffer.removeSubrange(..<start)
            start = 0
            await fill()
        }
    }

    private mutating func fill() async {
        let descriptor = descriptor
        let (bytes, reason) = await offCooperativeThreads { () -> ([UInt8], Int32) in
            var chunk = [UInt8](repeating: 0, count: 1 << 18)
            let count = read(descriptor, &chunk, chunk.count)
            return count < 0 ? ([], errno) : (Array(chunk[..<count]), 0)
        }
        if bytes.isEmpty { isAtEnd = true }
        if reason != 0 { failure = String(cString: strerror(reason)) }
        buffer.append(contentsOf: bytes)
    }
}
