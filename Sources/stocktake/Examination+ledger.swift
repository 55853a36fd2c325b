import Ledger

/// The file, what it says, and whether there is room.
extension Examination {
    /// The log is brought into the file all the time; a large one means that a reader holds it up.
    private static let largeLog: Int64 = 256 << 20
    private static let scarceSpace: Int64 = 1 << 30

    mutating func lookAtLedger() async {
        let path = settings.ledger
        do {
            let ledger = try await LedgerDatabase.open(at: path, store: settings.store, for: .reader)
            self.ledger = ledger
            ledgerHead = try await ledger.head()
            add("ledger", .ok, "\(path): store \(ledger.store)")
        } catch {
            add("ledger", .bad, "\(error)")
        }
        guard LedgerDatabase.exists(at: path) else { return }
        lookAtMode(path)
        if let kind = LedgerFile.fileSystem(at: path) {
            // An unsafe one is why it did not open.
            add("ledger file system", .ok, kind)
        } else {
            add("ledger file system", .unknown, "the system does not say")
        }
        if let ledger { await lookAtSoundness(ledger) }
        let log = LedgerFile.size(of: path + "-wal")
        add(
            "ledger log", log > Self.largeLog ? .warn : .ok,
            log.asBytes + (log > Self.largeLog ? ": something reads the ledger for long. End what has it open" : ""))
        lookAtSpace(path)
    }

    private mutating func lookAtMode(_ path: String) {
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

    private mutating func lookAtSoundness(_ ledger: LedgerDatabase) async {
        do {
            let check = try await ledger.check()
            let rows =
                "\(check.orders.counted("order")), \(check.cancellations.counted("cancellation")), \(check.adjustments.counted("adjustment")), \(check.deadLetters.counted("dead letter"))"
            if check.isSound {
                add("ledger soundness", .ok, rows)
            } else {
                add("ledger soundness", .bad, "NOT SOUND. 'stocktake ledger check' says what is wrong")
            }
        } catch {
            add("ledger soundness", .bad, "\(error)")
        }
    }

    private mutating func lookAtSpace(_ path: String) {
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
