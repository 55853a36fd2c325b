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

    /// What is damaged, without the file's path; nil: no damage is known.
    package var damage: String? {
        if case .damaged(_, let detail) = self { detail } else { nil }
    }

    /// As one line of text.
    package var line: String {
        switch self {
        case .sound(let time): "sound \(time)"
        case .damaged(let time, let detail):
            "damaged \(time) \(String(detail.prefix(Self.detailLength)).replacing("\n", with: " "))"
        }
    }

    /// Longer details are cut.
    private static let detailLength = 400

    package init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
        switch (parts.first, parts.count) {
        case ("sound", 2): self = .sound(at: parts[1])
        case ("damaged", 3): self = .damaged(at: parts[1], detail: parts[2])
        default: return nil
        }
    }
}
