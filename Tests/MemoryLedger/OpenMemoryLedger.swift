import Concurrency
import Domain
import Ledger
import Synchronization

/// An open ledger in memory. This part contains the operations of the consumer.
package final class OpenMemoryLedger: LedgerStore, LedgerAdmin {
    private let storage: MemoryStorage
    package let identity: String
    package let store: String
    package let name: String
    private let writes: Bool
    private let isInPlace: @Sendable () -> Bool
    private let onClose: @Sendable () -> Void
    private let isClosed = Mutex(false)

    init(
        _ storage: MemoryStorage, name: String, writes: Bool, isInPlace: @escaping @Sendable () -> Bool,
        onClose: @escaping @Sendable () -> Void
    ) {
        self.storage = storage
        (identity, store) = storage.read { ($0.identity, $0.store) }
        self.name = name
        self.writes = writes
        self.isInPlace = isInPlace
        self.onClose = onClose
    }

    package func close() throws {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        if !wasClosed { onClose() }
    }

    func read<T>(_ body: (MemoryTables) throws -> T) throws -> T {
        if isClosed.withLock({ $0 }) { throw MemoryLedgerError.closed(name) }
        return try storage.read(body)
    }

    func write<T>(_ body: (inout MemoryTables) throws -> T) throws -> T {
        if isClosed.withLock({ $0 }) { throw MemoryLedgerError.closed(name) }
        guard writes else { throw MemoryLedgerError.notForWriting(name) }
        return try storage.write(body)
    }

    var isReplaced: Bool { !isInPlace() }

    package func requireInPlace() async throws {
        if isReplaced { throw MemoryLedgerError.replaced(name) }
    }

    package func head() async throws -> LedgerHead { try read(\.head) }

    // MARK: - Epochs

    package func raiseEpoch(catalogueBefore version: Int64?, reason: String) async throws -> EpochStart {
        try write { tables in
            tables.nextEpoch(reason)
            let before = version ?? tables.head.catalogueVersion
            let changed =
                tables.products.filter { $0.version > before }.map(\.product.id)
                + tables.variants.filter { $0.version > before }.map(\.productID)
            return EpochStart(
                head: tables.head,
                counters: tables.counterNames.compactMap { name in tables.state(of: name).map { (name, $0) } },
                catalogue: tables.index, changedProducts: Array(Set(changed)))
        }
    }

    package func raiseEpoch(above epoch: Int64, by: String?) async throws {
        try write { tables in
            tables.note(.adopt, String(epoch), by: by)
            guard (0...LedgerHead.highestEpoch).contains(epoch) else { return }
            tables.head.epoch = max(tables.head.epoch, epoch)
        }
    }

    package func raiseEpoch(
        toRepair repairs: [Repair], foundIn epoch: Int64?, reason: String, by: String?
    ) async throws -> (repairs: [Repair], epoch: Int64)? {
        try write { tables in
            if let epoch, tables.head.epoch != epoch { return nil }
            tables.nextEpoch(reason)
            if by != nil { tables.note(.repair, String(tables.head.epoch), by: by) }
            let miscounts = tables.setRight()
            let others = repairs.compactMap { repair -> Repair? in
                let counted = miscounts.first { miscount in
                    miscount.column == .sold && miscount.counter.level == repair.level
                        && miscount.counter.id == Identifier(repair.id)
                }
                guard let counted else { return repair }
                // The counter was correct, and the ledger was wrong.
                if repair.found == counted.counted, repair.detail.isEmpty { return nil }
                var repair = repair
                repair.expected = counted.counted
                return repair
            }
            let all = miscounts.map { Repair($0) } + others
            tables.keep(all, reason)
            return (all, tables.head.epoch)
        }
    }

    package func repairMiscounts(reason: String) async throws -> [Miscount] {
        try write { tables in
            let miscounts = tables.setRight()
            if miscounts.isEmpty { return [] }
            tables.nextEpoch(reason)
            tables.keep(miscounts.map { Repair($0) }, reason)
            return miscounts
        }
    }

    // MARK: - Batches

    package func priorState(for lookup: BatchLookup) async throws -> PriorState {
        try read { $0.priorState(for: lookup) }
    }

    package func record(_ batch: JournalBatch) async throws -> RecordResult {
        try await requireInPlace()
        return try write { try $0.record(batch) }
    }

    package func requestedReplays(limit: Int) async throws -> [RequestedReplay] {
        try read { tables in
            tables.deadLetters.filter { $0.status == .replay }.prefix(limit)
                .map { RequestedReplay(number: $0.number, fingerprint: $0.fingerprint) }
        }
    }

    package func attempts(_ key: EntryIdentity) async throws -> Int { try read { $0.attempts[key] ?? 0 } }

    package func noteAttempt(_ key: EntryIdentity) async throws { try write { $0.attempts[key, default: 0] += 1 } }

    // MARK: - Erasing

    package func completeErasure() async throws -> Bool {
        try write { $0.hasErased = false }
        return true
    }

    package func isErasureComplete() async throws -> Bool { try read { !$0.hasErased } }
}

extension MemoryTables {
    fileprivate mutating func nextEpoch(_ reason: String) {
        head.epoch += 1
        epochs.append(
            EpochRow(
                epoch: head.epoch, reason: reason, position: head.position, openedAt: SystemClock.milliseconds()))
    }

    /// - Returns: the miscounts that were corrected.
    fileprivate mutating func setRight() -> [Miscount] {
        let miscounts = miscounts
        for miscount in miscounts {
            switch miscount.column {
            case .sold: balances[miscount.counter]?.sold = miscount.counted
            case .adjusted: balances[miscount.counter]?.adjusted = miscount.counted
            }
        }
        return miscounts
    }

    fileprivate mutating func keep(_ repairs: [Repair], _ reason: String) {
        for repair in repairs {
            self.repairs.append(
                RecordedRepair(
                    number: Int64(self.repairs.count + 1), repair: repair, epoch: head.epoch, reason: reason,
                    repairedAt: Timestamp.now()))
        }
    }
}
