import Domain
import Ledger

package enum MemoryLedgerError: LedgerError, Equatable {
    case missing(String)
    case alreadyExists(String)
    case otherStore(String, store: String, asked: String)
    case inUse(String, action: String)
    /// A batch names a counter that is not in the catalogue.
    case unknownCounter(CounterName)
    /// Another ledger was created in place of this one.
    case replaced(String)
    case closed(String)
    case notForWriting(String)

    package var kind: LedgerErrorKind {
        switch self {
        case .missing: .missing
        case .alreadyExists: .alreadyExists
        case .inUse: .inUse
        case .replaced: .replaced
        case .unknownCounter(let counter): .damaged(finding: "no \(counter.level.rawValue) \(counter.id) in the ledger")
        case .otherStore, .closed, .notForWriting: .failed
        }
    }

    package var description: String {
        switch self {
        case .missing(let name): "opening the ledger failed: on \(name): it does not exist."
        case .alreadyExists(let name): "creating the ledger failed: on \(name): it already exists."
        case .otherStore(let name, let store, let asked):
            "opening the ledger failed: on \(name): it belongs to store \"\(store)\", not \"\(asked)\"."
        case .inUse(let name, let action): "\(action) the ledger failed: on \(name): another process has it open."
        case .unknownCounter(let counter): "recording failed: on \(counter.level.rawValue) \(counter.id): unknown."
        case .replaced(let name): "using the ledger failed: on \(name): another ledger is in its place."
        case .closed(let name): "using the ledger failed: on \(name): it is closed."
        case .notForWriting(let name): "writing the ledger failed: on \(name): it was opened read-only."
        }
    }
}
