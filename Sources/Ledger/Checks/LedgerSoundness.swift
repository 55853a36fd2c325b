/// What was last found about damage of the ledger. Stored with the lease, where every process finds it, even after the
/// consumer has stopped because of it. Times are RFC 3339, UTC.
package enum LedgerSoundness: Sendable, Equatable {
    /// The whole ledger was read without finding damage.
    case sound(at: String)
    /// An inspection or an operation found damage. `detail` names no path.
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
