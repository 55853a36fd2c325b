import Counters
import Domain
import Ledger

/// The findings before a backup takes the ledger's place.
package struct RestoreFindings: Sendable {
    /// The backup's identity.
    package let identity: String
    /// The result of checking the backup's copy.
    package let backup: LedgerCheck
    /// The last message that the backup has recorded; nil if none.
    package let newestEntry: StreamID?
    /// The file in the ledger's place.
    package let replaced: ReplacedLedger
    /// The state of the replaced ledger that Redis remembers.
    package let head: CounterHead
    /// The extent of the stream; nil if there is no stream.
    package let stream: StreamExtent?
    /// The rows that the replaced ledger has but the backup lacks; nil if the replaced ledger cannot be read.
    package let missing: MissingRows?
    /// The messages of the missing rows that the stream does not hold.
    package let absent: [StreamID]

    /// The replaced ledger's epoch; 0 if it cannot be read.
    package var replacedEpoch: Int64 {
        if case .readable(_, let head) = replaced { head.epoch } else { 0 }
    }

    /// The ledger whose identity differs from the backup's; nil if there is none.
    package var otherLedger: OtherLedger? {
        if case .readable(let other, _) = replaced, other != identity { return .inPlace(other) }
        if let followed = head.ledger, followed != identity { return .followed(followed) }
        return nil
    }

    /// Whether the replaced ledger has everything that was ever recorded: then it shows exactly what is missing.
    package var replacedIsNewest: Bool {
        guard case .readable(let identity, let own) = replaced else { return false }
        return head.isEmpty || head.ledger == identity && !head.remembersMoreRows(than: own)
    }

    /// The number of messages recorded since the backup, as Redis remembers it; nil if Redis does not know it.
    package var recordedSince: Int64? {
        guard head.ledger == identity, let recorded = head.recorded else { return nil }
        // Redis may hold any number.
        let (since, overflows) = recorded.subtractingReportingOverflow(backup.head.messages)
        return overflows ? nil : since
    }

    /// The version of the catalogue that was in use before the restoration.
    package var catalogueBefore: Int64? {
        guard case .readable(_, let own) = replaced else { return head.catalogue }
        return max(own.catalogueVersion, head.catalogue ?? 0)
    }
}
