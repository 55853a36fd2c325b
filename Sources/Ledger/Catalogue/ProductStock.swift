import Domain

/// A product with its variants and their counters, as stored in the ledger.
package struct ProductStock: Sendable {
    package var id: Identifier
    package var name: String
    package var state: CounterState
    package var variants: [VariantStock]

    package init(id: Identifier, name: String, state: CounterState, variants: [VariantStock]) {
        self.id = id
        self.name = name
        self.state = state
        self.variants = variants
    }

    package struct VariantStock: Sendable {
        package var id: Identifier
        package var name: String
        package var state: CounterState

        package init(id: Identifier, name: String, state: CounterState) {
            self.id = id
            self.name = name
            self.state = state
        }
    }

    /// The counters of the product and its variants.
    package var counters: [CounterName] { [.product(id)] + variants.map { .variant($0.id) } }

    /// Returns the effective availability, computed from `counters` (Redis), or from the ledger's counters if it is
    /// `nil`.
    package func availability(_ counters: [CounterName: CounterState]? = nil) -> Availability {
        func state(_ name: CounterName, _ own: CounterState) -> CounterState {
            guard let counters else { return own }
            return counters[name] ?? CounterState(sold: nil, cap: own.cap, isActive: own.isActive)
        }
        return Availability(
            product: (id, name, state(.product(id), self.state)),
            variants: variants.map { ($0.id, $0.name, state(.variant($0.id), $0.state)) })
    }
}
