import Domain

/// A ledger as the commands read it: what is recorded, for people. Lists are latest first, in pages: `after` is the
/// `next` of the previous page, nil for the first one.
package protocol LedgerRecords: OpenLedger {
    /// Every product and its variants with their figures, closed ones too, at one moment.
    func stock() async throws -> StockSnapshot

    /// How many orders were refused because of each counter.
    func refusedOrders() async throws -> [CounterName: Int]

    /// What `sync` would change.
    /// - Parameter progress: as `LedgerAdmin.sync`.
    /// - Throws: `VariantMoved`, as `sync`.
    func changes(
        by catalogue: Catalogue, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges

    /// Rows of the journal, in the order of their positions.
    /// - Parameters:
    ///   - position: that of the row before the first one; 0: from the beginning.
    ///   - limit: rows at most.
    func journal(after position: Int64, limit: Int) async throws -> [JournalEntry]

    /// What became of messages, in the order of recording, however long ago it was announced.
    /// - Parameters:
    ///   - place: that of the outcome before the first one.
    ///   - limit: outcomes at most.
    func outcomes(after place: EpochPosition, limit: Int) async throws -> [RecordedOutcome]

    /// Everything that has happened to one order, each in the order in which it did.
    func history(of order: Identifier) async throws -> OrderHistory

    /// What has changed the units sold of a product, with its variants, or of a variant, and how it may be sold.
    /// - Parameter listingOrders: whether each order is listed; otherwise those between two other events are summed.
    func stockHistory(
        of counter: CounterName, listingOrders: Bool, limit: Int, after: String?
    ) async throws -> Page<StockEvent>

    /// What is recorded of one command; nil: nothing is.
    func priorDecision(of key: Command.Key) async throws -> PriorDecision?

    /// What versions of the catalogue have changed.
    /// - Parameter id: of a product or a variant; nil: of all.
    func catalogueChanges(
        of id: Identifier?, limit: Int, after: String?
    ) async throws -> Page<RecordedCatalogueChange>

    /// Orders without their items.
    /// - Parameter status: nil: all.
    func orders(status: OrderStatus?, limit: Int, after: String?) async throws -> Page<RecordedOrder>

    func orderCount() async throws -> Int

    /// All that the ledger knows about an order, at one moment.
    func orderDetails(of id: Identifier) async throws -> OrderDetails

    func adjustments(limit: Int, after: String?) async throws -> Page<RecordedAdjustment>

    func adjustment(_ id: Identifier) async throws -> RecordedAdjustment?

    /// Why an adjustment cannot be recorded, as far as the ledger shows it now; nil: it can.
    func objection(to adjustment: Adjustment) async throws -> InvalidMessage?

    /// Dead letters without the bytes of their content.
    /// - Parameters:
    ///   - reason: nil: any.
    ///   - status: nil: any.
    func deadLetters(
        reason: String?, status: DeadLetterStatus?, limit: Int, after: String?
    ) async throws -> Page<RecordedDeadLetter>

    /// One dead letter with its bytes; nil: there is none.
    func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter?

    /// The dead letter that an entry of the stream became, without its bytes; nil: there is none.
    func deadLetter(ofEntry entry: String) async throws -> RecordedDeadLetter?

    /// How many dead letters a choice names; of numbers, those that exist.
    func count(_ choice: DeadLetterChoice) async throws -> Int

    /// The refunds that are due, and the sums of all, at one moment.
    func refunds(limit: Int, after: String?) async throws -> (page: Page<RefundDue>, due: RefundsDue)

    func repairs(limit: Int, after: String?) async throws -> Page<RecordedRepair>

    /// What operators have done.
    func audit(limit: Int, after: String?) async throws -> Page<AuditEntry>

    /// Whether all erased data has been overwritten. False: some may still be stored until
    /// `LedgerStore.completeErasure` succeeds.
    func isErasureComplete() async throws -> Bool

    /// Reads the whole ledger: what it is stored in, references, and a recount of all that is counted.
    func check() async throws -> LedgerCheck
}

/// What any reader of a ledger may ask.
package typealias LedgerReader = LedgerQueries & LedgerAudit & LedgerRecords

extension LedgerRecords {
    package func changes(by catalogue: Catalogue) async throws -> CatalogueChanges {
        try await changes(by: catalogue, progress: nil)
    }
}
