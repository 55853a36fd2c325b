/// The arbiter's finding: what was decided is not what the ledger's own balances give.
package enum Disagreement: Error, Sendable, Equatable, CustomStringConvertible {
    /// - Parameter ledger: what they give; nil: no decision, or other movements.
    case command(Command.Key, gate: Decision, ledger: Decision?)
    /// The ledger's own figure of this counter is too low: less is sold than is to be given back.
    case miscounted(CounterName)
    /// The ledger has no such counter.
    case unknownCounter(CounterName)

    package var description: String {
        switch self {
        case .command(let key, _, _):
            switch key.kind {
            case .placeOrder: "order \(key.id)"
            case .cancel: "cancellation \(key.id)"
            case .adjust: "adjustment \(key.id)"
            }
        case .miscounted(let counter): "what \(counter.level.rawValue) \(counter.id) has sold"
        case .unknownCounter(let counter): "\(counter.level.rawValue) \(counter.id), which the ledger does not have"
        }
    }
}

extension Arbiter {
    /// Decides the command again, by its own balances; anything but the same decision on the same movements is an error.
    package mutating func confirm(_ decided: DecidedCommand) throws(Disagreement) {
        let decision: Decision?
        do throws(Undecidable) {
            decision = try decideAgain(decided)
        } catch {
            switch error {
            case .miscounted(let counter): throw .miscounted(counter)
            case .unknownCounter(let counter): throw .unknownCounter(counter)
            case .unknownOrder, .adjustmentTooLarge:
                throw .command(decided.command.key, gate: decided.decision, ledger: nil)
            }
        }
        guard decision == decided.decision else {
            throw .command(decided.command.key, gate: decided.decision, ledger: decision)
        }
    }

    /// - Returns: nil: it would make other movements than those that were decided.
    private mutating func decideAgain(_ decided: DecidedCommand) throws(Undecidable) -> Decision? {
        let movements =
            switch decided.command {
            case .placeOrder(let order): order.movements
            case .cancel(let cancellation): try takeback(of: cancellation).movements
            case .adjust(let adjustment): adjustment.movements
            }
        return movements == decided.movements ? try decide(decided.command) : nil
    }
}
