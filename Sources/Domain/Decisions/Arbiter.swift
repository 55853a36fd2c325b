/// Decides commands one after the other, from balances that are loaded into it and that it keeps up to date.
///
/// To record a batch, create an arbiter, load the balance of each counter and the units that each cancelled order owns,
/// confirm the commands in stream order, then write the changes. The gate (`lua/gate.lua`) is the arbiter's fast
/// counterpart next to Redis' counters: from the same balances both make the same decisions.
///
/// The arbiter is pure: no clock, no I/O. An accepted order costs two lookups per counter and no allocation.
package struct Arbiter: Sendable {
    /// Why a command cannot be decided; nothing was changed.
    package enum Undecidable: Error, Equatable {
        /// No balance of this counter was loaded.
        case unknownCounter(CounterName)
        /// The order was not loaded: it does not exist.
        case unknownOrder(Identifier)
        /// The command would give back more than is sold: the balance is wrong.
        case miscounted(CounterName)
        /// The command would remove more than adjustments have added, or raise the sold quantity beyond what can be
        /// counted.
        case adjustmentTooLarge(CounterName)
    }

    private struct Account {
        var balance: Balance
        let loaded: Balance
    }

    /// The seq of the latest change of the counters.
    package private(set) var seq: Int64
    private var accounts: [CounterName: Account] = [:]
    private var owned: [Identifier: [SKUUnits]] = [:]

    package init(seq: Int64) { self.seq = seq }

    // MARK: - Balances

    /// Sets the balance of a counter.
    /// - Precondition: no decision has used this counter yet.
    package mutating func load(_ counter: CounterName, _ balance: Balance) {
        assert(accounts[counter].map { $0.balance == $0.loaded } ?? true, "loaded again after a decision")
        accounts[counter] = Account(balance: balance, loaded: balance)
    }

    /// Sets the units that an order owns.
    /// - Parameter owned: each SKU once; empty if the order was refused.
    package mutating func load(order: Identifier, owns owned: [SKUUnits]) {
        assert(self.owned[order] == nil, "loaded twice")
        self.owned[order] = owned
    }

    package func balance(of counter: CounterName) -> Balance? { accounts[counter]?.balance }

    /// Returns the units that a loaded order owns now, each SKU once, or nil if the order does not exist.
    package func owned(by order: Identifier) -> [SKUUnits]? { owned[order] }

    /// The counters whose balances differ from those loaded, in no particular order.
    package var changes: [(counter: CounterName, balance: Balance)] {
        accounts.compactMap { counter, account in
            account.balance == account.loaded ? nil : (counter, account.balance)
        }
    }

    // MARK: - Decisions

    package mutating func decide(_ command: Command) throws(Undecidable) -> Decision {
        switch command.effect {
        case .take(let movements): try take(movements)
        case .takeBack(let cancellation): try apply(effect(of: cancellation), to: cancellation.orderID)
        case .adjust(let adjustment): try apply(adjustment)
        case .nothing: .unchanged
        }
    }

    /// Returns the units that a cancellation takes from its order now.
    func effect(of cancellation: Cancellation) throws(Undecidable) -> CancellationEffect {
        guard let owned = owned[cancellation.orderID] else { throw .unknownOrder(cancellation.orderID) }
        return CancellationEffect(cancellation, from: owned)
    }

    /// Takes either all units of an order or none: the first counter with too few units left refuses the order.
    mutating func take(_ movements: [Movement]) throws(Undecidable) -> Decision {
        for movement in movements {
            let left = try loaded(movement.counter).left
            if movement.sold > left {
                return .refused(Shortage(counter: movement.counter, asked: movement.sold, left: left))
            }
        }
        return move(movements)
    }

    mutating func apply(_ effect: CancellationEffect, to order: Identifier) throws(Undecidable) -> Decision {
        for movement in effect.movements where try loaded(movement.counter).sold < -movement.sold {
            throw .miscounted(movement.counter)
        }
        owned[order] = effect.remaining
        return move(effect.movements)
    }

    /// Applies an adjustment. It is a fact, so no cap refuses it, but it cannot remove more than was added.
    mutating func apply(_ adjustment: Adjustment) throws(Undecidable) -> Decision {
        let movements = adjustment.movements
        for movement in movements where try adjustment.violation(of: movement.counter, loaded(movement.counter)) != nil
        {
            throw .adjustmentTooLarge(movement.counter)
        }
        return move(movements)
    }

    private func loaded(_ counter: CounterName) throws(Undecidable) -> Balance {
        guard let account = accounts[counter] else { throw .unknownCounter(counter) }
        return account.balance
    }

    private mutating func move(_ movements: [Movement]) -> Decision {
        var changesCounters = false
        for movement in movements {
            accounts[movement.counter]?.balance.apply(movement)
            if movement.sold != 0 { changesCounters = true }
        }
        guard changesCounters else { return .unchanged }
        seq += 1
        return .accepted(seq: seq)
    }
}
