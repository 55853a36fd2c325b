import Domain

/// A recorded change of one product or variant by one version of the catalogue.
package struct RecordedCatalogueChange: Sendable, Equatable {
    package var number: Int64
    package var version: Int64
    package var place: EpochPosition
    package var kind: CatalogueChanges.Kind
    package var counter: CounterName
    /// `nil` if the change concerns the whole SKU.
    package var column: ColumnChange?
    /// RFC 3339, UTC.
    package var changedAt: String
    /// The operator who synced the catalogue; `nil` if none was named.
    package var by: String?

    package init(
        number: Int64, version: Int64, place: EpochPosition, kind: CatalogueChanges.Kind, counter: CounterName,
        column: ColumnChange?, changedAt: String, by: String?
    ) {
        self.number = number
        self.version = version
        self.place = place
        self.kind = kind
        self.counter = counter
        self.column = column
        self.changedAt = changedAt
        self.by = by
    }
}
