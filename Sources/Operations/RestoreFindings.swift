import Counters
import Domain
import Ledger

/// What is known before a backup takes the ledger's place.
package struct RestoreFindings: Sendable {
    /// The backup's identity.
    package let identity: String
    /// What a check of the backup's copy found.
    package let backup: LedgerCheck
    /// The last message that the backup has recorded; nil if none.
    package let newestEntry: StreamID?
    /// What is in the ledger's place.
    package let replaced: ReplacedLedger
    /// What Redis remembers of the replaced ledger.
    package let head: CounterHead
    /// The extent of the stream; nil: there is no stream.
    package let stream: StreamExtent?
    /// What the replaced ledger has and the backup lacks; nil: the replaced ledger cannot be read.
    package let missing: MissingRows?
    /// The messages of the missing rows that the stream does not hold.
    package let absent: [StreamID]

    /// The replaced ledger's epoch; 0: it cannot be read.
    package var replacedEpoch: Int64 {
        if case .readable(_, let head) = replaced { head.epoch } else { 0 }
    }

    /// The ledger with another identity than the backup; nil: there is none.
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

    /// The number of messages recorded since the backup, as Redis remembers it; nil: Redis does not know it.
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
