import Counters
import Failpoints
import Intake
import Inventory
import Ledger

/// Is told when work on an entry begins that may bring the process down, and when it has ended.
typealias Suspicion = @Sendable (_ isBegun: Bool) -> Void

/// Validates decoded entries against the catalogue, and tells apart what is new, known and impossible.
struct Preparation: Sendable {
    let ledger: LedgerDatabase
    let catalog: CatalogIndex
    /// Lines of messages a batch at most, but for one message.
    let maximumLines: Int
    let deadLetters: DeadLetterMaker

    /// Tells the entries apart, by what the ledger and the batch in flight before this one hold.
    ///
    /// Replays and conflicts are found here, and entries that are dead letters already: one of those that is read again
    /// could have become possible meanwhile, and would be decided but not recorded.
    ///
    /// The batch ends before an entry that depends on what is not recorded yet; it may so be empty while another one
    /// is being recorded.
    ///
    /// - Parameter suspicion: called around the work on what a suspect entry brought.
    func skip(
        _ entries: [DecodedEntry], inFlight: InFlight, suspicion: Suspicion? = nil
    ) async throws -> PreparedBatch {
        Failpoint.skipBefore.pass()
        let decoded = Self.independent(entries, inFlight)
        let keys = decoded.compactMap(\.key)
        var cancelled: [Identifier] = []
        var adjusted: [CounterName] = []
        for entry in decoded {
            switch entry.content {
            case .cancellation(let cancellation): cancelled.append(cancellation.orderID)
            case .adjustment(let adjustment): adjusted += adjustment.sku.counters
            case .order, .rejected: break
            }
        }
        let known = try await ledger.known(
            keys, entries: decoded.map(\.entry.id), cancelled: cancelled, adjusted: adjusted)
        suspicion?(true)
        defer { suspicion?(false) }
        var sorting = Sorting(
            known: known, inFlight: inFlight, catalog: catalog, deadLetters: deadLetters,
            maximumTerms: 2 * maximumLines, count: decoded.count)
        for entry in decoded {
            guard let plan = sorting.plan(for: entry) else { break }
            // Should it be taken back, a suspect is one again.
            sorting.batch.entries.append(entry.entry.isSuspect ? .suspect(entry.entry) : .decoded(entry))
            sorting.batch.plans.append(plan)
        }
        Failpoint.skipAfter.pass()
        return sorting.batch
    }

    /// The entries up to the first one for which something earlier must be in the ledger first.
    ///
    /// What a cancellation gives back hangs on what its order owns. An adjustment comes first in its batch, with
    /// nothing under way: how much it may take away is then in the ledger.
    private static func independent(
        _ entries: [DecodedEntry], _ inFlight: InFlight
    ) -> ArraySlice<DecodedEntry> {
        // Mostly there are none that could depend on anything.
        guard entries.contains(where: \.dependsOnEarlier) else { return entries[...] }
        var orders: Set<Identifier> = []
        // By its place, not its id: a Redis that lost its tail may give an id to two messages.
        let end = entries.indices.first { place in
            switch entries[place].content {
            case .order(let order): orders.insert(order.id)
            case .cancellation(let cancellation):
                return inFlight.changes(cancellation.orderID) || orders.contains(cancellation.orderID)
            case .adjustment: return inFlight.isUnderWay || place != entries.startIndex
            case .rejected: break
            }
            return false
        }
        return entries[..<(end ?? entries.endIndex)]
    }

    /// The batch of an entry that has brought the process down too often: a dead letter, undecoded.
    func surrender(_ entry: StreamEntry, key: EntryKey) -> PreparedBatch {
        let invalid = InvalidMessage(
            .crashedConsumer,
            "processing this entry alone ended the process \(ConsumerSettings.suspectAttempts) times; it was not decoded"
        )
        return PreparedBatch(
            entries: [.suspect(entry)], plans: [.deadLetter(deadLetters.record(entry, invalid))],
            catalogueVersion: catalog.version, suspect: key)
    }
}
