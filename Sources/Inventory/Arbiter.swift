/// Decides commands one after the other, by balances that it is given and keeps up to date.
///
/// Whoever records a batch decides it with an arbiter of its own: load the balance of each counter and what each
/// cancelled order owns, have every command decided in the order of the stream, write what has changed. The gate
/// (`lua/gate.lua`) is its fast copy beside Redis' counters: from the same balances both give the same decisions.
///
/// Pure: no clock, no I/O. An accepted order costs a look-up per counter and no allocation.
package struct Arbiter: Sendable {
    /// Why a command has no decision; nothing was changed.
    package enum Undecidable: Error, Equatable {
        /// No balance of this counter was loaded.
        case unknownCounter(CounterName)
        /// It was not loaded what the order owns: there is no such order.
        case unknownOrder(Identifier)
        /// Less is sold than an order that owns it would give back: the balance is wrong.
        case miscounted(CounterName)
        /// More would be taken away than adjustments have added, or more be sold than can be counted.
        case adjustmentTooLarge(CounterName)
    }

    private struct Account {
        var balance: Balance
        let loaded: Balance
    }

    /// Of the last change of the counters.
    package private(set) var seq: Int64
    private var accounts: [CounterName: Account] = [:]
    private var owned: [Identifier: [SKUUnits]] = [:]

    package init(seq: Int64) { self.seq = seq }

    // MARK: - Balances

    /// - Precondition: nothing was decided by this counter yet.
    package mutating func load(_ counter: CounterName, _ balance: Balance) {
        assert(accounts[counter].map { $0.balance == $0.loaded } ?? true, "loaded again after a decision")
        accounts[counter] = Account(balance: balance, loaded: balance)
    }

    /// - Parameter owned: what the order owns, each SKU once; nothing if it was refused.
    package mutating func load(order: Identifier, owns owned: [SKUUnits]) {
        assert(self.owned[order] == nil, "loaded twice")
        self.owned[order] = owned
    }

    package func balance(of counter: CounterName) -> Balance? { accounts[counter]?.balance }

    /// What a loaded order owns now, each SKU once; nil: there is no such order.
    package func owned(by order: Identifier) -> [SKUUnits]? { owned[order] }

    /// The counters whose balances differ from what was loaded, in no order.
    package var changes: [(counter: CounterName, balance: Balance)] {
        accounts.compactMap { counter, account in
            account.balance == account.loaded ? nil : (counter, account.balance)
        }
    }

    // MARK: - Decisions

    package mutating func decide(_ command: Command) throws(Undecidable) -> Decision {
        switch command {
        case .placeOrder(let order): try place(order)
        case .cancel(let cancellation): try cancel(cancellation)
        case .adjust(let adjustment): try adjust(adjustment)
        }
    }

    /// All of an order or nothing: the first counter with too few units left refuses it.
    private mutating func place(_ order: Order) throws(Undecidable) -> Decision {
        for demand in order.demand {
            let left = try loaded(demand.counter).left
            if demand.units > left {
                return .refused(Shortage(counter: demand.counter, asked: demand.units, left: left))
            }
        }
        for demand in order.demand { accounts[demand.counter]?.balance.sold += demand.units }
        return next()
    }

    /// A cancellation takes from its order what it owns now, and nothing else.
    private mutating func cancel(_ cancellation: Cancellation) throws(Undecidable) -> Decision {
        guard let owned = owned[cancellation.orderID] else { throw .unknownOrder(cancellation.orderID) }
        let releases = cancellation.releases(from: owned)
        // Looked at before anything changes.
        for release in releases where release.released > 0 {
            for counter in release.sku.counters { _ = try loaded(counter) }
        }
        let demand = cancellation.givenBack(releases).demand()
        for demand in demand where try loaded(demand.counter).sold < demand.units {
            throw .miscounted(demand.counter)
        }
        self.owned[cancellation.orderID] = Cancellation.remaining(of: owned, after: releases)
        for demand in demand { accounts[demand.counter]?.balance.sold -= demand.units }
        if !cancellation.restock {
            // The order does not own them any more, and nobody else can: they stay sold.
            for release in releases where release.released > 0 {
                for counter in release.sku.counters {
                    accounts[counter]?.balance.adjusted += release.released
                }
            }
        }
        return demand.isEmpty ? .unchanged : next()
    }

    /// An adjustment is a fact: no cap refuses it. But it takes no more away than was added.
    private mutating func adjust(_ adjustment: Adjustment) throws(Undecidable) -> Decision {
        for counter in adjustment.sku.counters {
            let balance = try loaded(counter)
            if adjustment.violation(of: counter, sold: balance.sold, adjusted: balance.adjusted) != nil {
                throw .adjustmentTooLarge(counter)
            }
        }
        for counter in adjustment.sku.counters {
            accounts[counter]?.balance.sold += adjustment.units
            accounts[counter]?.balance.adjusted += adjustment.units
        }
        return next()
    }

    private func loaded(_ counter: CounterName) throws(Undecidable) -> Balance {
        guard let account = accounts[counter] else { throw .unknownCounter(counter) }
        return account.balance
    }

    private mutating func next() -> Decision {
        seq += 1
        return .accepted(seq: seq)
    }
}
