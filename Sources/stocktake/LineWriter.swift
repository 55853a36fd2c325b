import Dispatch
import Glibc
import Synchronization

/// Writes lines to standard output or standard error without ever making its callers wait: a pipe that nobody reads must
/// not hold up a consumer that has the store's lock.
///
/// A queue of its own writes them, in their order. What does not fit into the room for waiting lines is left out; how many
/// were is said as soon as somebody reads again.
final class LineWriter: Sendable {
    static let standardError = LineWriter(STDERR_FILENO)
    static let standardOutput = LineWriter(STDOUT_FILENO)

    private struct State {
        var waitingBytes = 0
        var omittedLines = 0
    }

    private let descriptor: Int32
    private let queue: DispatchQueue
    private let state = Mutex(State())

    /// Room for lines that wait to be written: some thousand of them.
    private static let maximumWaitingBytes = 1 << 20
    /// How long the end of the process waits for lines that were not written yet.
    private static let flushLimit = DispatchTimeInterval.seconds(1)

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "stocktake.lines.\(descriptor)")
        // What is said last is said at the end of the process.
        atexit {
            LineWriter.standardOutput.flush()
            LineWriter.standardError.flush()
        }
    }

    func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        let fits = state.withLock { state in
            let fits = state.waitingBytes + bytes.count <= Self.maximumWaitingBytes
            if fits { state.waitingBytes += bytes.count } else { state.omittedLines += 1 }
            return fits
        }
        guard fits else { return }
        queue.async { self.writeNow(bytes) }
    }

    private func writeNow(_ bytes: [UInt8]) {
        writeAll(bytes, to: descriptor)
        let omitted = state.withLock { state in
            state.waitingBytes -= bytes.count
            defer { state.omittedLines = 0 }
            return state.omittedLines
        }
        if omitted > 0 {
            writeAll(Array("\(omitted) lines were left out here: nobody read them in time\n".utf8), to: descriptor)
        }
    }

    /// Waits until what was written before is written, but not for long.
    func flush() {
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + Self.flushLimit)
    }
}

/// Writes all of it, however long the reader takes; gives up when there is none.
func writeAll(_ bytes: some Sequence<UInt8>, to descriptor: Int32) {
    let bytes = ContiguousArray(bytes)
    bytes.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno != EINTR { return }
            written += max(count, 0)
        }
    }
}

/// Says what a service does, a line on standard output.
func say(_ line: String) { LineWriter.standardOutput.write(line) }
