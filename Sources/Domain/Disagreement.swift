/// The arbiter's finding: a decision differs from what the ledger's own balances give.
package enum Disagreement: Error, Sendable, Equatable, CustomStringConvertible {
    /// - Parameter ledger: the decision by those balances; nil: no decision, or other movements.
    case command(Command.Key, gate: Decision, ledger: Decision?)
    /// The ledger's own figure for this counter is too low: more would be given back than is sold.
    case miscounted(CounterName)
    /// The ledger has no such counter.
    case unknownCounter(CounterName)

    package var description: String {
        switch self {
        case .command(let key, _, _): "\(key.kind.noun) \(key.id)"
        case .miscounted(let counter): "what \(counter.level.rawValue) \(counter.id) has sold"
        case .unknownCounter(let counter): "\(counter.level.rawValue) \(counter.id), which the ledger does not have"
        }
    }
}

extension Arbiter {
    /// Decides the command again, by its own balances; anything but the same decision on the same movements is an
    /// error.
    /// - Returns: for a cancellation, what it takes from its order.
    @discardableResult
    package mutating func confirm(_ decided: DecidedCommand) throws(Disagreement) -> [CancellationEffect.Line] {
        let command = decided.command
        let decision: Decision?
        let taken: [CancellationEffect.Line]
        do throws(Undecidable) {
            let changes = try changes(by: command)
            taken = changes.taken
            decision = changes.movements == decided.planned.movements ? try decide(command) : nil
        } catch {
            switch error {
            case .miscounted(let counter): throw .miscounted(counter)
            case .unknownCounter(let counter): throw .unknownCounter(counter)
            case .unknownOrder, .adjustmentTooLarge:
                throw .command(command.key, gate: decided.decision, ledger: nil)
            }
        }
        guard decision == decided.decision else {
            throw .command(command.key, gate: decided.decision, ledger: decision)
        }
        return taken
    }

    /// What the command would change now, and, for a cancellation, what it takes from its order.
    private func changes(
        by command: Command
    ) throws(Undecidable) -> (movements: [Movement], taken: [CancellationEffect.Line]) {
        switch command.effect {
        case .take(let movements): return (movements, [])
        case .adjust(let adjustment): return (adjustment.movements, [])
        case .nothing: return ([], [])
        case .takeBack(let cancellation):
            let effect = try effect(of: cancellation)
            return (effect.movements, effect.lines)
        }
    }
}
