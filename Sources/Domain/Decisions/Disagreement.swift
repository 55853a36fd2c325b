/// A conflict between a recorded decision and the ledger's own balances, as the arbiter reports it.
package enum Disagreement: Error, Sendable, Equatable, CustomStringConvertible {
    /// The gate and the ledger decide differently.
    /// - Parameter ledger: the decision by the ledger's balances; nil if they give no decision, or other movements.
    case command(Command.Key, gate: Decision, ledger: Decision?)
    /// The ledger's own sold quantity for this counter is too low: more would be given back than is sold.
    case miscounted(CounterName)
    /// The ledger does not have this counter.
    case unknownCounter(CounterName)

    package var description: String {
        switch self {
        case .command(let key, _, _): "\(key.kind.noun) \(key.id)"
        case .miscounted(let counter): "what \(counter.level.rawValue) \(counter.id) has sold"
        case .unknownCounter(let counter): "\(counter.level.rawValue) \(counter.id), which the ledger does not have"
        }
    }
}
