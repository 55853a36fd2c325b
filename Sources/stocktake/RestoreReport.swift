import Counters
import Inventory
import Ledger
import Monitoring

/// What restoring a backup means: what it lacks, and where that can be had.
struct RestoreReport {
    let file: String
    let restoration: LedgerRestoration
    /// As Redis remembers the ledger that is replaced.
    let head: CounterHead
    /// Nil: there is no stream.
    let stream: StreamExtent?
    /// Nil: the replaced ledger cannot be read.
    let missing: MissingRows?

    var replacedEpoch: Int64 {
        if case .readable(_, let head) = restoration.replaced { head.epoch } else { 0 }
    }

    /// Who has another identity than the backup, if anybody.
    var otherLedger: String? {
        let identity = restoration.identity
        if case .readable(let replaced, _) = restoration.replaced, replaced != identity {
            return "\(replaced) is in that place"
        }
        if let followed = head.ledger, followed != identity { return "Redis follows \(followed)" }
        return nil
    }

    /// How many ids are listed.
    private static let listed = 20

    var lines: [String] {
        let check = restoration.copy.check
        var lines = [
            "backup: sound; \(check.orders.counted("order")), epoch \(check.head.epoch), seq \(check.head.seq), "
                + (restoration.newestEntry.map { "last message of \($0.time)" } ?? "no messages")
        ]
        switch restoration.replaced {
        case .none: lines.append("replaced ledger: none")
        case .damaged: lines.append("replaced ledger: cannot be read")
        case .readable(_, let head):
            lines.append(
                "replaced ledger: epoch \(head.epoch), seq \(head.seq); " + (missing.map(Self.lacks) ?? "not compared"))
        }
        lines.append(
            head.isEmpty
                ? "Redis: remembers no ledger"
                : "Redis: epoch \(head.epoch.text); \(rowsKnownToRedis) recorded up to seq \(head.settled.text), the backup has \(check.head.records.grouped)"
        )
        lines.append("stream: " + coverage)
        return lines
    }

    private var rowsKnownToRedis: String { Int(clamping: head.recorded ?? 0).counted("row") }

    private static func lacks(_ missing: MissingRows) -> String {
        if missing.rows == 0 { return "the backup lacks nothing of it" }
        return
            "the backup lacks \(missing.orders.counted("order")), \(missing.cancellations.counted("cancellation")), \(missing.adjustments.counted("adjustment")) and \(missing.deadLetters.counted("dead letter")) of it"
    }

    /// Whether the replaced ledger has all that was ever recorded: then it tells exactly what is gone.
    private var replacedIsNewest: Bool {
        guard case .readable(let identity, let replaced) = restoration.replaced else { return false }
        return head.isEmpty
            || head.ledger == identity && (head.settled ?? 0) <= replaced.seq
                && (head.recorded ?? 0) <= replaced.records
    }

    /// Whether what came after the backup is in the stream, and if not, from when to when it is gone.
    var coverage: String {
        let again = "holds everything since the backup, which is decided again before anything new is sold"
        if replacedIsNewest, let missing {
            if missing.gone == 0 { return again }
            return
                "\(missing.gone.grouped) of these are gone from it, recorded from \(missing.goneFrom ?? "") to \(missing.goneUntil ?? ""): publish those messages again"
        }
        let after = restoration.newestEntry.map { "after \($0.time)" } ?? "of all times"
        guard let stream else {
            return "there is none: messages \(after) are gone. Publish them again"
        }
        let newest = restoration.newestEntry
        if stream.added == stream.length { return again }
        if let newest, newest >= stream.first ?? stream.last ?? newest { return again }
        guard let first = stream.first else {
            return "it is empty: messages \(after), until \(stream.last?.time ?? "now"), are gone. Publish them again"
        }
        return
            "begins at \(first.time): messages \(after), until then, may be gone. Publish those of that time again"
    }

    /// The version of the catalogue that was sold by.
    private var catalogueBefore: Int64? {
        guard case .readable(_, let replaced) = restoration.replaced else { return head.catalogue }
        return max(replaced.catalogueVersion, head.catalogue ?? 0)
    }

    /// What is left to do when the backup is in place.
    var advice: [String] {
        var lines: [String] = []
        if let missing, !missing.erased.isEmpty {
            let more = missing.erased.count > Self.listed ? " …" : ""
            lines.append(
                "\(missing.erased.count.counted("order")) had been erased since the backup. Erase again when a consumer has caught up: stocktake orders erase \(missing.erased.prefix(Self.listed).joined(separator: " "))\(more)"
                    .printable)
        }
        if let missing, missing.discarded > 0 {
            lines.append(
                "\(missing.discarded.counted("dead letter")) had been discarded since the backup: their content is back"
            )
        }
        if let later = catalogueBefore, later > restoration.copy.check.head.catalogueVersion {
            lines.append(
                "The catalogue was changed since the backup (version \(restoration.copy.check.head.catalogueVersion), it was \(later)). Before you start a consumer: stocktake sync FILE, or it decides by the old caps and products."
            )
        }
        lines.append("Start a consumer: it first decides again what the stream holds.")
        return lines
    }
}

extension Int64? {
    /// The number, or "none".
    fileprivate var text: String { map(String.init) ?? "none" }
}
