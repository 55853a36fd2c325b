/// Decides commands one after the other, by balances that are loaded into it and that it keeps up to date.
///
/// To record a batch, create an arbiter, load the balance of each counter and
/// what each cancelled order owns, confirm the commands in the order of the stream, write what has changed. The gate
/// (`lua/gate.lua`) is its fast copy beside Redis' counters: from the same balances both give the same decisions.
///
/// Pure: no clock, no I/O. An accepted order costs two look-ups per counter and no allocation.
package struct Arbiter: Sendable {
    /// Why a command has no decision; nothing was changed.
    package enum Undecidable: Error, Equatable {
        /// No balance of this counter was loaded.
        case unknownCounter(CounterName)
        /// Nothing was loaded for this order: it does not exist.
        case unknownOrder(Identifier)
        /// An order would give back more than is sold: the balance is wrong.
        case miscounted(CounterName)
        /// More would be taken away than adjustments have added, or more be sold than can be counted.
        case adjustmentTooLarge(CounterName)
    }

    private struct Account {
        var balance: Balance
        let loaded: Balance
    }

    /// The seq of the last change of the counters.
    package private(set) var seq: Int64
    private var accounts: [CounterName: Account] = [:]
    private var owned: [Identifier: [SKUUnits]] = [:]

    package init(seq: Int64) { self.seq = seq }

    // MARK: - Balances

    /// - Precondition: this counter was not used in a decision yet.
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
        switch command.effect {
        case .take(let movements): try take(movements)
        case .takeBack(let cancellation): try apply(effect(of: cancellation), to: cancellation.orderID)
        case .adjust(let adjustment): try apply(adjustment)
        case .nothing: .unchanged
        }
    }

    /// What a cancellation takes from its order now.
    func effect(of cancellation: Cancellation) throws(Undecidable) -> CancellationEffect {
        guard let owned = owned[cancellation.orderID] else { throw .unknownOrder(cancellation.orderID) }
        return CancellationEffect(cancellation, from: owned)
    }

    /// All of an order or nothing: the first counter with too few units left refuses it.
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

    /// An adjustment is a fact: no cap refuses it. But it cannot take away more than was added.
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
