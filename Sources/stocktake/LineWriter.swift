import Dispatch
import Glibc
import Synchronization

/// Writes lines to standard output or standard error.
///
/// In a service no caller ever waits: a pipe that is full and not read must not hold up a consumer that has the store's
/// lock. A Dispatch queue writes the lines, in their order. Lines for which there is no room are left out, and how many
/// is said in their place.
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
    /// How long the end of a service waits for lines that were not written yet.
    private static let flushLimit = DispatchTimeInterval.seconds(1)

    private static let isService = Mutex(false)

    /// From now on this process is a service, which waits for no reader.
    static func becomeService() { isService.withLock { $0 = true } }

    /// The last lines are written before the process ends.
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

    /// - Parameter text: with its line end, if it has one.
    func write(raw text: String) {
        _ = Self.flushesAtExit
        let bytes = Array(text.utf8)
        let isBounded = Self.isService.withLock { $0 }
        // Nil: there is no room. Else how many lines are missing before this one.
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
                    Array("(\(omitted) lines were left out here: the output was not read)\n".utf8), to: self.descriptor)
            }
            // A failure is dropped: without a reader there is nowhere to report it.
            _ = writeAll(bytes, to: self.descriptor)
            self.state.withLock { $0.waitingBytes -= bytes.count }
        }
    }

    /// Waits until what was written before is written; in a service not for long.
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

/// Says what a service does, a line on standard output.
func say(_ line: String) { LineWriter.standardOutput.write(line.printable) }
