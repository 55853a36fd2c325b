#if DEBUG
    import Glibc
    import Synchronization
#endif

/// A point at which a debug build can be made to die as if by `kill -9`, to prove that a restart recovers the right
/// state.
///
/// `STOCKTAKE_FAILPOINT=NAME` dies at the first pass, `NAME:3` at the third. `decode.entry:TEXT` dies while decoding an
/// entry whose payload contains TEXT. `NAME:pause` stops the process at every pass, like SIGSTOP, until SIGCONT. In
/// release builds the calls do nothing.
package enum Failpoint: String, CaseIterable, Sendable {
    case readBefore = "read.before"
    case readAfter = "read.after"
    case decodeBefore = "decode.before"
    case decodeEntry = "decode.entry"
    case decodeAfter = "decode.after"
    case planBefore = "plan.before"
    case planAfter = "plan.after"
    case decideBefore = "decide.before"
    case decideAfter = "decide.after"
    case recordBefore = "record.before"
    case recordBeforeCommit = "record.before-commit"
    case recordAfter = "record.after"
    case acknowledgeBefore = "acknowledge.before"
    case acknowledgeBetween = "acknowledge.between"
    case acknowledgeAfter = "acknowledge.after"
    case trimBefore = "trim.before"
    case trimAfter = "trim.after"
    case replayBefore = "replay.before"
    case replayAfter = "replay.after"
    case epochBefore = "epoch.before"
    case epochBeforeCommit = "epoch.before-commit"
    case epochRaised = "epoch.raised"
    case epochPrepared = "epoch.prepared"
    case epochInstalled = "epoch.installed"
    case restoreCopied = "restore.copied"
    case restoreForgotten = "restore.forgotten"
    case restoreDecided = "restore.decided"
    case restoreKept = "restore.kept"
    case restoreDone = "restore.done"

    /// The failpoints of 'ledger restore'. All others belong to the consumer.
    package static let ofRestore: [Failpoint] = [
        .restoreCopied, .restoreForgotten, .restoreDecided, .restoreKept, .restoreDone,
    ]

    #if DEBUG
        /// The failpoint named by the environment, which is read once.
        private static let armed: (point: Failpoint, passage: Int, text: [UInt8])? = {
            guard let value = getenv("STOCKTAKE_FAILPOINT") else { return nil }
            let parts = String(cString: value).split(separator: ":", maxSplits: 1)
            guard let name = parts.first, let point = Failpoint(rawValue: String(name)) else { return nil }
            let argument = parts.count > 1 ? String(parts[1]) : "1"
            return (point, Int(argument) ?? 1, Array(argument.utf8))
        }()

        private static let passages = Mutex(0)

        /// Kills the process if this failpoint is armed.
        package func pass() {
            guard let armed = Failpoint.armed, armed.point == self else { return }
            if armed.text == Array("pause".utf8) {
                // `raise` signals this thread, which then stops here with all others. After a signal to the process,
                // this thread could run a little further.
                raise(SIGSTOP)
                return
            }
            let passage = Failpoint.passages.withLock { count in
                count += 1
                return count
            }
            if passage == armed.passage { die() }
        }

        /// Kills the process if this failpoint is armed and `bytes` contain its text.
        package func pass(over bytes: @autoclosure () -> [UInt8]) {
            guard let armed = Failpoint.armed, armed.point == self, !armed.text.isEmpty else { return }
            let bytes = bytes()
            let starts = 0...max(bytes.count - armed.text.count, 0)
            if starts.contains(where: { bytes[$0...].starts(with: armed.text) }) { die() }
        }

        private func die() -> Never {
            kill(getpid(), SIGKILL)
            while true { pause() }
        }
    #else
        @inline(__always) package func pass() {}
        @inline(__always) package func pass(over bytes: @autoclosure () -> [UInt8]) {}
    #endif
}
