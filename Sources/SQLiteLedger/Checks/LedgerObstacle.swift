import Concurrency
import Glibc
import Ledger
import Files

/// Why the ledger cannot be written, as far as the system reports it without a write.
enum LedgerObstacle: Sendable, Equatable, CustomStringConvertible {
    case gone
    /// The path no longer leads to the open file.
    case replaced
    case readOnlyFileSystem
    case fileNotWritable
    /// SQLite creates its log beside the file.
    case folderNotWritable
    case diskFull

    /// Contains no path, because it may be shown to anyone.
    var description: String {
        switch self {
        case .gone: "the file is missing"
        case .replaced: "another file is in its place"
        case .readOnlyFileSystem: "its file system is mounted read-only"
        case .fileNotWritable: "the file or its log is not writable"
        case .folderNotWritable: "its folder is not writable"
        case .diskFull: "the disk is full"
        }
    }
}

extension LedgerDatabase {
    package func condition() async -> LedgerCondition {
        let file = file
        return await offCooperativeThreads {
            let log = LedgerFile.logSize(ofLedger: file.path)
            return LedgerCondition(
                obstacle: file.obstacle?.description,
                notice: log > LedgerFile.largeLogBytes
                    ? "its log takes \(log >> 20) MiB: a process may keep a read transaction open. 'stocktake doctor' shows which"
                    : nil,
                bytes: LedgerFile.size(of: file.path) + log, logBytes: log)
        }
    }
}

extension LedgerFile {
    /// Returns what prevents writing, or `nil` if no obstacle was found.
    ///
    /// Checked with system calls (stat, access, statvfs) and the permissions of this process: nothing is written, and
    /// SQLite's lock is not acquired, because that would delay the consumer. Therefore `nil` proves nothing: a failing
    /// disk is only detected by writing.
    var obstacle: LedgerObstacle? {
        if !isInPlace { return Self.exists(path) ? .replaced : .gone }
        // With links resolved, because SQLite keeps the log beside the file itself.
        guard let file = FilePath.resolved(path) else { return .gone }
        if let system = FilePath.fileSystem(at: file) {
            if UInt64(system.f_flag) & UInt64(ST_RDONLY) != 0 { return .readOnlyFileSystem }
            if system.f_bavail == 0 { return .diskFull }
        }
        for file in [file] + Self.companions(of: file)
        where Self.exists(file) && FilePath.access(file, R_OK | W_OK) != 0 {
            return .fileNotWritable
        }
        return FilePath.access(FilePath.folder(of: file), W_OK | X_OK) == 0 ? nil : .folderNotWritable
    }
}
