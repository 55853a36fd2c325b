import Domain

/// A ledger whose records the commands display. Lists are paged, latest first: `after` is the `next` of the previous
/// page, or `nil` for the first page.
package protocol LedgerRecords: OpenLedger {
    /// Returns all products and their variants with their counters, including closed ones, in one snapshot.
    func stock() async throws -> StockSnapshot

    /// Returns how many orders were refused because of each counter.
    func refusedOrders() async throws -> [CounterName: Int]

    /// Returns the changes that `sync` would make.
    /// - Parameter progress: as for `LedgerAdmin.sync`.
    /// - Throws: `MovedVariant`, like `sync`.
    func changes(
        by catalogue: Catalogue, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges

    /// Returns rows of the journal, ordered by position.
    /// - Parameters:
    ///   - position: the position of the row before the first one; 0 starts at the beginning.
    ///   - limit: the maximum number of rows.
    func journal(after position: Int64, limit: Int) async throws -> [JournalEntry]

    /// Returns the outcomes of messages in the order of recording, however long ago they were announced.
    /// - Parameters:
    ///   - place: the epoch and position of the outcome before the first one.
    ///   - limit: the maximum number of outcomes.
    func outcomes(after place: EpochPosition, limit: Int) async throws -> [RecordedOutcome]

    /// Returns everything that has happened to one order, in chronological order.
    func history(of order: Identifier) async throws -> OrderHistory

    /// Returns the events that changed the units sold of a variant, or of a product including its variants, or how it
    /// may be sold.
    /// - Parameter listingOrders: whether each order is listed; otherwise the orders between two other events are
    ///   summed.
    func stockHistory(
        of counter: CounterName, listingOrders: Bool, limit: Int, after: String?
    ) async throws -> Page<StockEvent>

    /// Returns the recorded decision on one command, or `nil` if there is none.
    func priorDecision(of key: Command.Key) async throws -> PriorDecision?

    /// Returns the changes that versions of the catalogue have made.
    /// - Parameter id: the id of a product or variant; `nil` selects all.
    func catalogueChanges(
        of id: Identifier?, limit: Int, after: String?
    ) async throws -> Page<RecordedCatalogueChange>

    /// Returns orders without their items.
    /// - Parameter status: `nil` selects all.
    func orders(status: OrderStatus?, limit: Int, after: String?) async throws -> Page<RecordedOrder>

    func orderCount() async throws -> Int

    /// Returns everything that the ledger knows about an order, in one snapshot.
    func orderDetails(of id: Identifier) async throws -> OrderDetails

    func adjustments(limit: Int, after: String?) async throws -> Page<RecordedAdjustment>

    func adjustment(_ id: Identifier) async throws -> RecordedAdjustment?

    /// Returns why an adjustment cannot be recorded in the ledger's current state, or `nil` if it can.
    func objection(to adjustment: Adjustment) async throws -> InvalidMessage?

    /// Returns dead letters without the bytes of their content.
    /// - Parameters:
    ///   - reason: `nil` selects any.
    ///   - status: `nil` selects any.
    func deadLetters(
        reason: String?, status: DeadLetterStatus?, limit: Int, after: String?
    ) async throws -> Page<RecordedDeadLetter>

    /// Returns one dead letter with its bytes, or `nil` if there is none.
    func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter?

    /// Returns the dead letter that an entry of the stream became, without its bytes, or `nil` if there is none.
    func deadLetter(ofEntry entry: String) async throws -> RecordedDeadLetter?

    /// Returns how many dead letters match the choice. Numbers without a dead letter do not count.
    func count(_ choice: DeadLetterChoice) async throws -> Int

    /// Returns one page of the refunds that are due, and the sums of all of them, in one snapshot.
    func refunds(limit: Int, after: String?) async throws -> (page: Page<RefundDue>, due: RefundsDue)

    func repairs(limit: Int, after: String?) async throws -> Page<RecordedRepair>

    /// Returns the actions of operators.
    func audit(limit: Int, after: String?) async throws -> Page<AuditEntry>

    /// Returns whether all erased data has been overwritten. If `false`, some of it may remain stored until
    /// `LedgerStore.completeErasure` succeeds.
    func isErasureComplete() async throws -> Bool

    /// Checks the whole ledger: its storage, its references, and a recount of every stored total.
    func check() async throws -> LedgerCheck
}

/// Everything that a reader of a ledger can call.
package typealias LedgerReader = LedgerQueries & LedgerAudit & LedgerRecords

extension LedgerRecords {
    package func changes(by catalogue: Catalogue) async throws -> CatalogueChanges {
        try await changes(by: catalogue, progress: nil)
    }
}
