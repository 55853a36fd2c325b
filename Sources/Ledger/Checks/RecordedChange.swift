import Domain

/// A change of a counter that may explain a difference.
package struct RecordedChange: Sendable, Equatable {
    package enum Kind: String, Sendable { case order, cancellation, adjustment }

    package var seq: Int64
    package var kind: Kind
    package var id: Identifier
    /// The units that it added.
    package var units: Int64

    package init(seq: Int64, kind: Kind, id: Identifier, units: Int64) {
        self.seq = seq
        self.kind = kind
        self.id = id
        self.units = units
    }
}
