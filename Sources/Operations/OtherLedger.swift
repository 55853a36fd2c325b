/// A ledger whose identity differs from the backup's.
package enum OtherLedger: Sendable, CustomStringConvertible {
    /// It is in the place that the backup would take.
    case inPlace(String)
    /// Redis' counters belong to it.
    case followed(String)

    package var description: String {
        switch self {
        case .inPlace(let identity): "\(identity) is in that place"
        case .followed(let identity): "Redis follows \(identity)"
        }
    }
}
