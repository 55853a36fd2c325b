/// Identifies a snapshot: its source, and the state of the store that it shows.
package struct SnapshotVersion: Sendable, Equatable {
    package enum Source: String, Sendable {
        case redis
        case ledger
    }

    package var source: Source
    package var epoch: Int64
    /// The snapshot includes this change of the counters, and possibly later ones.
    package var seq: Int64
    /// The catalogue version that the counters belong to.
    package var catalogue: Int64
    /// RFC 3339, UTC.
    package var asOf: String

    package init(source: Source, epoch: Int64, seq: Int64, catalogue: Int64, asOf: String) {
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.catalogue = catalogue
        self.asOf = asOf
    }

    /// Whether two snapshots show the same state of the store.
    func isSameState(as other: SnapshotVersion) -> Bool {
        source == other.source && epoch == other.epoch && seq == other.seq && catalogue == other.catalogue
    }
}
