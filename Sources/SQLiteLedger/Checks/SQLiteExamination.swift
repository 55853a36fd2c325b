import Concurrency
import Ledger
import Files
import TextEncodings

/// Findings that `doctor` reports about a ledger's file: its permissions, its log, its file system and the disk space.
extension SQLiteLedgerLocation {
    private static let scarceSpace: Int64 = 1 << 30
    /// A read transaction that stays open for longer than this counts as kept open.
    private static let passingRead = Duration.milliseconds(250)
    /// The first SQLite version that fixes the corruption that two checkpointing connections can cause.
    private static let mendedVersion = [3, 51, 3]

    package func examine() async -> [LedgerFinding] {
        var findings = [Self.version()]
        guard await offCooperativeThreads({ LedgerDatabase.exists(at: path) }) else { return findings }
        let log = await log()
        findings += await offCooperativeThreads { [mode(), fileSystem(), log, space()] }
        return findings
    }

    private static func version() -> LedgerFinding {
        guard let version = try? LedgerDatabase.sqliteVersion(), !version.isEmpty else {
            return LedgerFinding("sqlite", .unknown, "")
        }
        let isMended = !version.split(separator: ".").map { Int($0) ?? 0 }.lexicographicallyPrecedes(mendedVersion)
        return LedgerFinding(
            "sqlite", .fine,
            isMended
                ? version
                : "\(version); its WAL-reset bug (fixed in 3.51.3) cannot happen: only the consumer checkpoints")
    }

    private func mode() -> LedgerFinding {
        let open = [path, path + "-wal", path + "-shm"].compactMap { file in
            LedgerFile.permissions(of: file).flatMap { $0 & 0o077 == 0 ? nil : (file, $0) }
        }
        guard let (file, mode) = open.first else {
            return LedgerFinding("ledger mode", .fine, String(LedgerFile.permissions(of: path) ?? 0, radix: 8))
        }
        return LedgerFinding(
            "ledger mode", .doubtful,
            "\(String(mode, radix: 8)): other users can read customer data. chmod 600 \(file)")
    }

    /// Never doubtful: a ledger on an unsafe file system cannot be opened.
    private func fileSystem() -> LedgerFinding {
        LedgerFile.fileSystem(at: path).map { LedgerFinding("ledger file system", .fine, $0) }
            ?? LedgerFinding("ledger file system", .unknown, "the system does not report it")
    }

    /// The log is checkpointed and restarted continuously. A large log means that this was not possible.
    private func log() async -> LedgerFinding {
        func finding(_ status: LedgerFinding.Status, _ detail: String) -> LedgerFinding {
            LedgerFinding("ledger log", status, detail)
        }
        let bytes = await offCooperativeThreads { LedgerFile.logSize(ofLedger: path) }
        guard bytes > LedgerFile.largeLogBytes else { return finding(.fine, bytes.asBytes) }
        let first = await offCooperativeThreads { LedgerReaders.read(ofLedger: path) }
        try? await Task.sleep(for: Self.passingRead)
        guard let first, let now = await offCooperativeThreads({ LedgerReaders.read(ofLedger: path) }) else {
            return finding(.fine, bytes.asBytes + ": the next consumer checkpoints it into the file")
        }
        let detail = "\(bytes.asBytes), \(now.unwrittenBytes.asBytes) of it not in the ledger's file yet"
        let staying = now.staying(since: first).map { Self.name(of: $0.process) }
        if staying.isEmpty {
            return finding(.fine, detail + ": no process keeps a read transaction open; the next orders shorten it")
        }
        return finding(
            .doubtful,
            "\(detail): a read transaction is kept open by \(staying.joined(separator: " and ")). End it, or the log grows until the disk is full"
        )
    }

    private static func name(of process: Int32) -> String {
        guard process > 0 else { return "a process in another container" }
        let name = String(decoding: FilePath.contents(of: "/proc/\(process)/comm") ?? [], as: UTF8.self)
            .filter { !$0.isNewline }
        return name.isEmpty ? "process \(process)" : "process \(process) (\(name))"
    }

    private func space() -> LedgerFinding {
        guard let free = LedgerFile.freeSpace(at: path) else {
            return LedgerFinding("disk", .unknown, "the system does not report it")
        }
        let ledger = LedgerFile.size(of: path)
        let isScarce = free < max(Self.scarceSpace, 2 * ledger)
        return LedgerFinding(
            "disk", isScarce ? .doubtful : .fine,
            "\(free.asBytes) free, the ledger takes \(ledger.asBytes)"
                + (isScarce ? ": free some space, because a full disk stops the consumer" : ""))
    }
}
