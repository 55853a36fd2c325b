import Foundation
import Synchronization

/// The actions and findings of a run, in chronological order.
package final class ChaosJournal: Sendable {
    package struct Violation: Sendable {
        package var invariant: ChaosInvariant
        package var text: String
    }

    private struct State {
        var counts: [String: [String: Int]] = [:]
        var violations: [Violation] = []
        var file: FileHandle?
        /// When Redis' counters differed from the ledger because of a fault: from before the fault until after it.
        var figuresTouched: [ClosedRange<Date>] = []
    }

    private let started = ContinuousClock.now
    private let isVerbose: Bool
    private let state = Mutex(State())

    /// Violations of one kind that are written in full; further ones are only counted.
    private static let toldViolations = 20

    package init(file path: String? = nil, isVerbose: Bool) {
        self.isVerbose = isVerbose
        if let path {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            let file = FileHandle(forWritingAtPath: path)
            state.withLock { $0.file = file }
        }
    }

    package var elapsed: Duration { ContinuousClock.now - started }

    /// Writes a line of the history.
    package func note(_ text: String) {
        let line = "\(Timestamp.text(elapsed)) \(text)\n"
        state.withLock { try? $0.file?.write(contentsOf: Data(line.utf8)) }
        if isVerbose { FileHandle.standardError.write(Data(line.utf8)) }
    }

    /// Counts an event under a heading of the report.
    package func count(_ heading: String, _ kind: String, _ number: Int = 1) {
        state.withLock { $0.counts[heading, default: [:]][kind, default: 0] += number }
    }

    /// Keeps the longest time of a kind, in milliseconds, under a heading of the report.
    func longest(_ heading: String, _ kind: String, _ time: Duration) {
        let milliseconds = Int(time / .milliseconds(1))
        state.withLock { $0.counts[heading, default: [:]][kind, default: 0].raise(to: milliseconds) }
        note("\(kind): \(heading.lowercased()) \(milliseconds)")
    }

    package func counts(_ heading: String) -> [String: Int] { state.withLock { $0.counts[heading] ?? [:] } }

    package func fault(_ kind: String, _ detail: String = "") {
        count("faults", kind)
        note("fault: \(kind)\(detail.isEmpty ? "" : ": \(detail)")")
    }

    /// From now on counters may differ from the ledger, and `reconcile` may report it.
    func beginTouchingFigures() { state.withLock { $0.figuresTouched.append(Date()...Date.distantFuture) } }

    /// Ends the latest of these periods.
    func endTouchingFigures() {
        state.withLock { state in
            if let last = state.figuresTouched.popLast() { state.figuresTouched.append(last.lowerBound...Date()) }
        }
    }

    /// Whether a fault touched the counters in this time.
    func wereFiguresTouched(from first: Date, to last: Date) -> Bool {
        state.withLock { $0.figuresTouched.contains { $0.upperBound >= first && $0.lowerBound <= last } }
    }

    /// How long after a fault the counters may still differ: `watch` runs once per second, and an epoch may have to
    /// wait for Redis and the ledger.
    private static let driftGrace: TimeInterval = 20

    /// Whether a fault explains drift that was found between these times.
    func mayDrift(from first: Date, to last: Date) -> Bool {
        wereFiguresTouched(from: first - Self.driftGrace, to: last)
    }

    static let violations = "VIOLATIONS"

    package func violation(_ invariant: ChaosInvariant, _ text: String) {
        let isTold = state.withLock { state in
            state.violations.append(Violation(invariant: invariant, text: text))
            state.counts[Self.violations, default: [:]][invariant.rawValue, default: 0] += 1
            return state.counts[Self.violations]?[invariant.rawValue] ?? 0 <= Self.toldViolations
        }
        if isTold { note("VIOLATION of \(invariant.rawValue): \(text)") }
    }

    package var violations: [Violation] { state.withLock { $0.violations } }

    private enum Timestamp {
        static func text(_ elapsed: Duration) -> String {
            String(format: "%8.3f", elapsed / .milliseconds(1) / 1_000)
        }
    }
}

extension Int {
    fileprivate mutating func raise(to other: Int) { self = Swift.max(self, other) }
}
