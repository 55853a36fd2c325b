import Domain

/// Reads the current catalogue together with a snapshot of availability.
struct AvailabilityReader: Sendable {
    let catalogue: CurrentCatalogue
    let reads: CoalescingReader

    /// The catalogue may be replaced during a read; one request tries at most this often.
    private static let attempts = 3

    /// The products that `choose` selects, and their availability, both from the catalogue that the counters belong to.
    /// - Throws: `AvailabilityUnavailable`; any error that `choose` throws.
    func read(
        _ choose: @Sendable (CatalogueView) throws -> [ProductView]
    ) async throws -> (view: CatalogueView, products: [ProductView], snapshot: CoalescingReader.Snapshot) {
        var view = catalogue.view
        for _ in 1..<Self.attempts {
            let products = try choose(view)
            let snapshot = try await reads.read(products)
            let current = try await currentView(at: snapshot.version)
            // The view may differ even if this read did not replace it: a concurrent read may have done so.
            if current === view { return (view, products, snapshot) }
            view = current
        }
        let products = try choose(view)
        return (view, products, try await reads.read(products))
    }

    /// The availability of the products with these ids.
    /// - Throws: `AvailabilityUnavailable`; `Problem` (404) naming all ids that are unknown or not on sale yet.
    func availability(of ids: [Identifier]) async throws -> (
        version: SnapshotVersion, availability: [ProductAvailability]
    ) {
        let (view, _, snapshot) = try await read { view in ids.compactMap { view[$0] } }
        var unknown: [Identifier] = []
        var availability: [ProductAvailability] = []
        for id in ids {
            if let found = try view[id].flatMap({ try snapshot.availability(of: $0) }) {
                availability.append(found)
            } else {
                unknown.append(id)
            }
        }
        if !unknown.isEmpty { throw Problem.unknown(unknown) }
        return (snapshot.version, availability)
    }

    private func currentView(at version: SnapshotVersion) async throws -> CatalogueView {
        do {
            return try await catalogue.view(forEpoch: version.epoch, catalogue: version.catalogue)
        } catch {
            throw AvailabilityUnavailable(description: "the catalogue cannot be read")
        }
    }
}
