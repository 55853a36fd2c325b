import Dispatch
import Glibc
import Inventory

/// Whole small files.
enum FileBytes {
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return ferror(file) == 0 ? bytes : nil }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

/// Runs blocking work on a dispatch queue and waits for it without holding a cooperative thread.
func offCooperativeThreads<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}

/// The lines of a file or of standard input, read as they are asked for.
struct LineReader: ~Copyable {
    enum Line {
        case text([UInt8])
        /// Longer than any message can be; it was passed over.
        case tooLong
    }

    /// A payload of the largest size in its frame.
    static let maximumBytes = Limit.payloadBytes + 4_096

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private(set) var failure: String?

    /// - Parameter path: "-" for standard input.
    init(path: String) throws {
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(
                "publishing failed: on \(path): it cannot be read (\(String(cString: strerror(errno)))). Check the path and its permissions."
            )
        }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The next line without its end, or nil after the last one.
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
