/// The latest finding about damage to the ledger. It is stored with the lease, where every process can read it, even
/// after the damage has stopped the consumer. Times are RFC 3339, UTC.
package enum LedgerSoundness: Sendable, Equatable {
    /// The whole ledger was read without finding damage.
    case sound(at: String)
    /// An inspection or an operation found damage. `detail` contains no path.
    case damaged(at: String, detail: String)

    package var isSound: Bool { damage == nil }

    /// When the ledger was read completely, or the damage was found.
    package var checkedAt: String {
        switch self {
        case .sound(let time), .damaged(let time, _): time
        }
    }

    /// The damage, without its location; `nil` if none is known.
    package var damage: String? {
        if case .damaged(_, let detail) = self { detail } else { nil }
    }
}
