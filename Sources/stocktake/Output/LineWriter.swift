import Dispatch
import Glibc
import Synchronization

/// Writes lines to standard output or standard error.
///
/// In a service, callers never block: a full pipe that is not read must not stall a consumer that holds the store's
/// lock. A Dispatch queue writes the lines in order. Lines for which the buffer has no room are dropped, and a note in
/// their place gives their number.
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

    /// The buffer for lines that wait to be written, in bytes: several thousand lines.
    private static let maximumWaitingBytes = 1 << 20
    /// How long a service that ends waits for lines that are not written yet.
    private static let flushLimit = DispatchTimeInterval.seconds(1)

    private static let isService = Mutex(false)

    /// Makes this process a service from now on: writing never waits for a reader.
    static func becomeService() { isService.withLock { $0 = true } }

    /// Registers, once, that the last lines are written before the process exits.
    private static let flushesAtExit: Bool = {
        atexit {
            LineWriter.standardOutput.flush()
            LineWriter.standardError.flush()
        } == 0
    }()

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "stocktake.lines.\(descriptor)")
    }

    func write(_ line: String) { write(raw: line + "\n") }

    /// - Parameter text: including its line end, if any.
    func write(raw text: String) {
        _ = Self.flushesAtExit
        let bytes = Array(text.utf8)
        let isBounded = Self.isService.withLock { $0 }
        // The number of lines dropped before this one; nil if the buffer has no room for this line.
        let omitted: Int? = state.withLock { state in
            guard !isBounded || state.waitingBytes + bytes.count <= Self.maximumWaitingBytes else {
                state.omittedLines += 1
                return nil
            }
            state.waitingBytes += bytes.count
            defer { state.omittedLines = 0 }
            return state.omittedLines
        }
        guard let omitted else { return }
        queue.async {
            if omitted > 0 {
                _ = writeAll(
                    Array("(\(omitted) lines were dropped here: the output was not read)\n".utf8), to: self.descriptor)
            }
            // Ignores a failure: without a reader there is nowhere to report it.
            _ = writeAll(bytes, to: self.descriptor)
            self.state.withLock { $0.waitingBytes -= bytes.count }
        }
    }

    /// Waits until all earlier lines are written; in a service for at most `flushLimit`.
    func flush() {
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        if Self.isService.withLock({ $0 }) {
            _ = isDone.wait(timeout: .now() + Self.flushLimit)
        } else {
            isDone.wait()
        }
    }
}

/// Prints a line about what a service does to standard output.
func say(_ line: String) { LineWriter.standardOutput.write(line.printable) }
