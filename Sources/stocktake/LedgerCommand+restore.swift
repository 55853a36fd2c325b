import ArgumentParser
import Consumer
import Counters
import Failpoints
import Inventory
import Ledger
import Monitoring
import RedisClient

extension LedgerCommand {
    struct Restore: AsyncParsableCommand, FileCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a backup in the ledger's place, and has the stream decided again from its beginning.",
            discussion: """
                The backup is checked first; what it replaces, damaged or not, is kept beside it. Says what the backup lacks, and \
                whether the stream still holds that, or that it cannot know. Stop whatever has the ledger open first: run, consume \
                and serve. Exit codes: 0; 1 not restored: not confirmed, the backup is not a \
                sound ledger of this store or of another ledger than the one it replaces, what is in that place belongs to \
                another store, a newer version or another program, or another process has the ledger open; 2 Redis cannot \
                be reached. In all but the first nothing was changed.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The backup.", valueName: "FILE"))
        var file: String

        var files: [String] { [file] }

        @Flag(help: "Do not ask.")
        var yes = false

        @Flag(help: "The backup may be of another ledger than the one it replaces, or that Redis follows.")
        var otherLedger = false

        func run() async throws {
            let settings = try options.resolve()
            guard let lock = try ProcessLock.acquire(ProcessLock.path(besideLedger: settings.ledger)) else {
                try refuse(LedgerError.inUse(path: settings.ledger, action: "restoring"))
            }
            defer { withExtendedLifetime(lock) {} }
            do {
                let isDone = try await withRedis(settings) { client in
                    try await restore(settings, client)
                    return true
                }
                // A private Redis that has never run has nothing to forget.
                if isDone == nil { try await restore(settings, nil) }
                // The damage that was noted is that of the replaced ledger.
                lock.note(LedgerSoundness?.none)
            } catch let error as LedgerError {
                switch error {
                case .missing(file):
                    throw Failure(
                        "restoring the ledger failed: on \(file): there is no such file. Name one that 'stocktake ledger backup' has made."
                    )
                case .inUse, .notReplaced, .unfitBackup, .copyUnderWay:
                    try refuse(error)
                default: throw error
                }
            }
        }

        private func restore(_ settings: Settings, _ client: RedisClient?) async throws {
            var (head, stream) = (CounterHead(), StreamExtent?.none)
            if let client {
                head = try await CounterHead.read(settings.keys, client)
                stream = try await StreamExtent.read(settings.keys, client)
            }
            let progress = Progress()
            let restoration = try await LedgerRestoration.prepare(
                from: file, to: settings.ledger, store: settings.store
            ) { progress.show($0.text) }
            progress.end()
            do {
                Failpoint.restoreCopied.pass()
                let missing = try await restoration.missing()
                var absent = missing?.entries ?? []
                if let client { absent = try await StreamExtent.absent(of: absent, settings.keys, client) }
                let report = RestoreReport(
                    file: file, restoration: restoration, head: head, stream: stream, missing: missing, absent: absent)
                for line in report.lines { print(line) }
                if !otherLedger, let other = report.otherLedger {
                    printError(
                        "restoring the ledger failed: on \(file): it is a backup of ledger \(restoration.identity), and \(other); nothing was changed. Name the right backup; or say --other-ledger if this one is meant."
                    )
                    throw Exit.no
                }
                guard yes || confirm("Put \(file) in the place of \(settings.ledger)?") else {
                    printError("not restored")
                    throw Exit.no
                }
                try await restoration.raiseEpoch(above: max(head.epoch ?? 0, report.replacedEpoch))
                // Before the file: if it is interrupted here, the old ledger goes on as if nothing had happened.
                if let client { try await startOver(settings.keys, client) }
                Failpoint.restoreForgotten.pass()
                let kept = try restoration.takePlace()
                Failpoint.restoreDone.pass()
                print("restored \(settings.ledger) from \(file)" + (kept.map { "; what it replaces is \($0)" } ?? ""))
                for line in report.advice { print(line) }
            } catch {
                restoration.abandon()
                throw error
            }
        }
    }
}
