extension Arbiter {
    /// Decides the command again from the arbiter's own balances.
    /// - Returns: for a cancellation, the units that it takes from its order.
    /// - Throws: `Disagreement` unless the decision and its movements are the same.
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

    /// Returns the movements of the command as of now and, for a cancellation, the units that it takes from its order.
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
