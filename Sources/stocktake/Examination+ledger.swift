import Ledger
import Paths

/// The file, what it says, and whether there is room.
extension Examination {
    private static let scarceSpace: Int64 = 1 << 30
    /// A read transaction that is open for longer is no passing one.
    private static let passingRead = Duration.milliseconds(250)

    mutating func checkLedger() async {
        let path = settings.ledger
        // While the ledger is not open here.
        let log = await checkLog(path)
        do {
            let ledger = try await LedgerDatabase.open(at: path, store: settings.store, for: .reader)
            self.ledger = ledger
            ledgerHead = try await ledger.head()
            add("ledger", .ok, "\(path): store \(ledger.store)")
        } catch {
            add("ledger", .bad, "\(error)")
        }
        guard LedgerDatabase.exists(at: path) else { return }
        checkMode(path)
        if let kind = LedgerFile.fileSystem(at: path) {
            // An unsafe one is why it did not open.
            add("ledger file system", .ok, kind)
        } else {
            add("ledger file system", .unknown, "the system does not say")
        }
        if isDeep, let ledger { await checkSoundness(ledger) }
        add("ledger log", log.status, log.detail)
        checkSpace(path)
    }

    /// The log is brought into the file all the time, and started over. A large one means that this could not be done.
    private func checkLog(_ path: String) async -> Finding {
        let bytes = LedgerFile.logSize(ofLedger: path)
        guard bytes > LedgerFile.largeLogBytes else { return (.ok, bytes.asBytes) }
        let first = LedgerReaders.read(ofLedger: path)
        try? await Task.sleep(for: Self.passingRead)
        guard let first, let now = LedgerReaders.read(ofLedger: path) else {
            return (.ok, bytes.asBytes + ": the next consumer brings it into the file")
        }
        let detail = "\(bytes.asBytes), \(now.unwrittenBytes.asBytes) of it not in the ledger's file yet"
        let staying = now.staying(since: first).map { Self.name(of: $0.process) }
        if staying.isEmpty {
            return (.ok, detail + ": nobody keeps a read transaction open; the next orders shorten it")
        }
        return (
            .warn,
            "\(detail): a read transaction is kept open by \(staying.joined(separator: " and ")). End it, or the log grows until the disk is full"
        )
    }

    private static func name(of process: Int32) -> String {
        guard process > 0 else { return "a process in another container" }
        let name = String(decoding: FilePath.contents(of: "/proc/\(process)/comm") ?? [], as: UTF8.self)
            .filter { !$0.isNewline }
        return name.isEmpty ? "process \(process)" : "process \(process) (\(name))"
    }

    private mutating func checkMode(_ path: String) {
        let open = [path, path + "-wal", path + "-shm"].compactMap { file in
            LedgerFile.permissions(of: file).flatMap { $0 & 0o077 == 0 ? nil : (file, $0) }
        }
        if let (file, mode) = open.first {
            add(
                "ledger mode", .warn,
                "\(String(mode, radix: 8)): others can read customers' data. chmod 600 \(file)")
        } else {
            add("ledger mode", .ok, String(LedgerFile.permissions(of: path) ?? 0, radix: 8))
        }
    }

    private mutating func checkSoundness(_ ledger: LedgerDatabase) async {
        do {
            let log = LedgerFile.logSize(ofLedger: ledger.path)
            let check = try await ledger.check()
            // Nothing written meanwhile could be taken out of the log.
            let growth = LedgerFile.logSize(ofLedger: ledger.path) - log
            let grown = growth > 0 ? "; its log has grown by \(growth.asBytes) meanwhile" : ""
            let rows =
                "\(check.orders.counted("order")), \(check.cancellations.counted("cancellation")), \(check.adjustments.counted("adjustment")), \(check.deadLetters.counted("dead letter"))"
            if check.isSound {
                add("ledger soundness", .ok, rows + grown)
            } else {
                add("ledger soundness", .bad, "NOT SOUND. 'stocktake ledger check' says what is wrong")
            }
        } catch {
            add("ledger soundness", .bad, "\(error)")
        }
    }

    private mutating func checkSpace(_ path: String) {
        guard let free = LedgerFile.freeSpace(at: path) else {
            return add("disk", .unknown, "the system does not say")
        }
        let ledger = LedgerFile.size(of: path)
        let isScarce = free < max(Self.scarceSpace, 2 * ledger)
        add(
            "disk", isScarce ? .warn : .ok,
            "\(free.asBytes) free, the ledger has \(ledger.asBytes)"
                + (isScarce ? ": make room, a full disk stops the consumer" : ""))
    }
}
