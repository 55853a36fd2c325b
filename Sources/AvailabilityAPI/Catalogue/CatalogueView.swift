import Domain
import Ledger
import Synchronization

/// One version of the catalogue.
final class CatalogueView: Sendable {
    let version: Int64
    /// In catalogue order, closed products last.
    let products: [ProductView]
    private let positions: [Identifier: Int]

    init(_ listing: CatalogueListing) {
        version = listing.catalogueVersion
        products = listing.products.map { [version] in ProductView($0, version: version) }
        positions = Dictionary(uniqueKeysWithValues: products.enumerated().map { ($1.id, $0) })
    }

    func position(of id: Identifier) -> Int? { positions[id] }

    subscript(_ id: Identifier) -> ProductView? { positions[id].map { products[$0] } }
}

/// The current catalogue. It is read from the ledger again when the counters belong to a different version: every read
/// of the counters includes their version, so the ledger need not be polled.
final class CurrentCatalogue: Sendable {
    private let ledger: any LedgerQueries
    private let state: Mutex<State>

    private struct State {
        var view: CatalogueView
        /// The counters' epoch and catalogue version for which the ledger was last read. If the ledger does not have
        /// that version (it was synced and the consumer has not reached it, or an older ledger was restored), one read
        /// suffices.
        var readFor: Source?
        var reading: Task<CatalogueView, any Error>?
    }

    private struct Source: Equatable {
        var epoch: Int64
        var catalogue: Int64
    }

    private init(_ ledger: any LedgerQueries, _ view: CatalogueView) {
        self.ledger = ledger
        state = Mutex(State(view: view))
    }

    /// Reads the catalogue for the first time.
    /// - Throws: `LedgerError`.
    static func read(from ledger: any LedgerQueries) async throws -> CurrentCatalogue {
        CurrentCatalogue(ledger, CatalogueView(try await ledger.listing()))
    }

    var view: CatalogueView { state.withLock { $0.view } }

    /// - Returns: the catalogue version that the counters belong to, or the ledger's if that differs.
    func view(forEpoch epoch: Int64, catalogue: Int64) async throws -> CatalogueView {
        let source = Source(epoch: epoch, catalogue: catalogue)
        let (view, reading): (CatalogueView, Task<CatalogueView, any Error>?) = state.withLock { state in
            if state.view.version == catalogue || state.readFor == source { return (state.view, nil) }
            if let reading = state.reading { return (state.view, reading) }
            let reading = Task { [ledger] in CatalogueView(try await ledger.listing()) }
            state.reading = reading
            return (state.view, reading)
        }
        guard let reading else { return view }
        let result = await reading.result
        state.withLock { state in
            guard state.reading == reading else { return }
            state.reading = nil
            if case .success(let view) = result {
                state.view = view
                state.readFor = source
            }
        }
        return try result.get()
    }
}
