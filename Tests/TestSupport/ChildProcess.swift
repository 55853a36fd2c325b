import Foundation
import Synchronization

/// A process started by a test: its output is collected, it can be sent signals, and it ends with the test.
///
/// It leads its own process group, which is killed when the last reference to this object is released, or by
/// `ProcessGuard` if the tests themselves crash. So its child processes do not outlive the tests either.
package final class ChildProcess: Sendable {
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    package let processID: Int32
    private let name: String
    private let output = CollectedOutput()
    private let errorOutput = CollectedOutput()
    private let life: Life

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: a path, or a name that is looked up in `PATH`.
    ///   - environment: variables that are added to this process' environment, or replace it.
    ///   - standardInput: the program's input; empty by default.
    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        inheritsEnvironment: Bool = true, workingFolder: String? = nil, standardInput: String = ""
    ) throws {
        name = ([(executable as NSString).lastPathComponent] + arguments.prefix(1)).joined(separator: " ")
        var variables = inheritsEnvironment ? ProcessInfo.processInfo.environment : [:]
        variables.merge(environment) { _, added in added }
        let started = try Spawned.start(
            executable, arguments, environment: variables, workingFolder: workingFolder, standardInput: standardInput)
        processID = started.processID
        ProcessGuard.shared?.watch(processID)
        output.collect(from: started.standardOutput)
        errorOutput.collect(from: started.standardError)
        life = Life(processID)
    }

    deinit {
        // Kills the group even if its leader has ended: a process id is not reused while a group has it.
        Glibc.kill(-processID, SIGKILL)
        ProcessGuard.shared?.forget(processID)
    }

    // MARK: Output

    package var standardOutput: String { output.text }
    package var standardError: String { errorOutput.text }

    /// Waits for a line on standard output or standard error, including lines that were already written.
    /// - Returns: the first matching line, without its newline.
    @discardableResult
    package func waitForLine(containing text: String, within limit: Duration = .seconds(10)) async throws -> String {
        func found() -> String? { (output.lines + errorOutput.lines).first { $0.contains(text) } }
        var line: String?
        do {
            try await eventually(within: limit, "the line") {
                let isOver = output.isAtEnd && errorOutput.isAtEnd
                line = found()
                return line != nil || isOver
            }
        } catch is TestSupportError {}
        guard let line else {
            // A process that has closed its outputs is most likely about to end, and its exit status is the better half
            // of the report.
            if output.isAtEnd && errorOutput.isAtEnd { _ = try? await waitForEnding(within: .seconds(1)) }
            throw TestSupportError("\(name) did not write “\(text)”. It \(state), and wrote:\n\(transcript)")
        }
        return line
    }

    private var transcript: String { String((standardOutput + standardError).suffix(4_000)) }

    private var state: String { ending.map { "ended (\($0))" } ?? "is running" }

    // MARK: Signals and end

    /// Sends a signal to the process alone, not to its children. Does nothing if the process has ended.
    package func signal(_ number: Int32) { life.signal(number) }

    /// Whether the process was stopped by SIGSTOP.
    package var isStopped: Bool {
        // The state follows the name, which is in brackets: proc(5).
        let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
        return text?.split(separator: ")").last?.hasPrefix(" T") == true
    }

    /// How the process ended; nil while it runs.
    package var ending: Ending? { life.ending }

    /// Waits until the process has ended and all its output is collected.
    @discardableResult
    package func waitForEnding(within limit: Duration = .seconds(20)) async throws -> Ending {
        do {
            try await eventually(within: limit, "the end") { ending != nil }
        } catch is TestSupportError {}
        guard let ending else {
            throw TestSupportError("\(name) did not end within \(limit). It wrote:\n\(transcript)")
        }
        // Its children may keep the pipes open for longer.
        try? await eventually(within: .seconds(1), "the output") { output.isAtEnd && errorOutput.isAtEnd }
        return ending
    }

    /// Ends the process with SIGTERM, or with SIGKILL if it does not react.
    @discardableResult
    package func stop(within limit: Duration = .seconds(10)) async throws -> Ending {
        signal(SIGTERM)
        if let ending = try? await waitForEnding(within: limit) { return ending }
        return try await kill()
    }

    /// Kills the process, like a crash.
    @discardableResult
    package func kill() async throws -> Ending {
        signal(SIGKILL)
        return try await waitForEnding()
    }
}

/// The output of a process on one descriptor. A thread reads it, so that a full pipe never blocks the process.
private final class CollectedOutput: Sendable {
    private let state = Mutex((bytes: [UInt8](), isAtEnd: false))

    func collect(from descriptor: Int32) {
        Thread.detachNewThread {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = read(descriptor, &chunk, chunk.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                self.state.withLock { $0.bytes += chunk[..<count] }
            }
            close(descriptor)
            self.state.withLock { $0.isAtEnd = true }
        }
    }

    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

    var text: String { String(decoding: state.withLock { $0.bytes }, as: UTF8.self) }

    /// The complete lines, and at the end of the output also the rest.
    var lines: [String] {
        let (bytes, isAtEnd) = state.withLock { $0 }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if !isAtEnd || lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Tracks whether a process still runs. A thread waits for its end.
private final class Life: Sendable {
    private let processID: Int32
    private let state = Mutex(ChildProcess.Ending?.none)

    init(_ processID: Int32) {
        self.processID = processID
        Thread.detachNewThread { self.waitForEnding() }
    }

    var ending: ChildProcess.Ending? { state.withLock { $0 } }

    /// Under the lock, the process either is unreaped, so that its id is still valid, or is known to have ended.
    func signal(_ number: Int32) {
        state.withLock { if $0 == nil { _ = Glibc.kill(processID, number) } }
    }

    private func waitForEnding() {
        var details = siginfo_t()
        while waitid(P_PID, id_t(processID), &details, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        state.withLock { ending in
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
            let number = status & 0x7f
            ending = number == 0 ? .exited((status >> 8) & 0xff) : .signalled(number)
        }
    }
}
