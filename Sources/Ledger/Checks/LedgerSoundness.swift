/// The result of the last read of the ledger for damage. Kept with the lease, where every process finds it,
/// even after the consumer has stopped because of it.
package enum LedgerSoundness: Sendable, Equatable {
    /// It was read to its end.
    case sound(at: String)
    case damaged(at: String, detail: String)

    package var isSound: Bool { damage == nil }

    /// When the reading ended.
    package var checkedAt: String {
        switch self {
        case .sound(let time), .damaged(let time, _): time
        }
    }

    /// What is damaged, without where it lies; nil: no damage is known.
    package var damage: String? {
        if case .damaged(_, let detail) = self { detail } else { nil }
    }
}
