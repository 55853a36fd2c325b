import Domain
import Ledger
import Synchronization

/// The catalogue at one version.
final class CatalogueView: Sendable {
    let version: Int64
    /// In the catalogue's order; closed ones last.
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

/// The catalogue in use. Read from the ledger again when the counters belong to another version of it: the counters say
/// so with every reading, so that nothing has to ask the ledger in between.
final class CurrentCatalogue: Sendable {
    private let ledger: any LedgerQueries
    private let state: Mutex<State>

    private struct State {
        var view: CatalogueView
        /// The counters' epoch and catalogue it was last read for. With a version that the ledger does not have (it was
        /// synced and the consumer has not come to it, or an older ledger was put back) once is enough.
        var readFor: Source?
        var snapshot: Task<CatalogueView, any Error>?
    }

    private struct Source: Equatable {
        var epoch: Int64
        var catalogue: Int64
    }

    private init(_ ledger: any LedgerQueries, _ view: CatalogueView) {
        self.ledger = ledger
        state = Mutex(State(view: view))
    }

    /// Reads the catalogue for the first time. Errors: `LedgerError`.
    static func read(from ledger: any LedgerQueries) async throws -> CurrentCatalogue {
        CurrentCatalogue(ledger, CatalogueView(try await ledger.listing()))
    }

    var view: CatalogueView { state.withLock { $0.view } }

    /// - Returns: the catalogue of the counters, as far as it can be had.
    func view(forEpoch epoch: Int64, catalogue: Int64) async throws -> CatalogueView {
        let source = Source(epoch: epoch, catalogue: catalogue)
        let (view, snapshot): (CatalogueView, Task<CatalogueView, any Error>?) = state.withLock { state in
            if state.view.version == catalogue || state.readFor == source { return (state.view, nil) }
            if let snapshot = state.snapshot { return (state.view, snapshot) }
            let snapshot = Task { [ledger] in CatalogueView(try await ledger.listing()) }
            state.snapshot = snapshot
            return (state.view, snapshot)
        }
        guard let snapshot else { return view }
        let result = await snapshot.result
        state.withLock { state in
            guard state.snapshot == snapshot else { return }
            state.snapshot = nil
            if case .success(let view) = result {
                state.view = view
                state.readFor = source
            }
        }
        return try result.get()
    }
}
