import Counters
import Domain
import Ledger
import Operations
import TextEncodings

/// Describes for the operator what a backup lacks, and how to recover that.
struct RestoreReport {
    private let findings: RestoreFindings

    init(_ findings: RestoreFindings) { self.findings = findings }

    private var head: CounterHead { findings.head }
    private var missing: MissingRows? { findings.missing }
    private var absent: [StreamID] { findings.absent }

    /// The maximum number of ids listed.
    private static let listed = 20

    var lines: [String] {
        let check = findings.backup
        var lines = [
            "backup: sound; \(check.orders.counted("order")), epoch \(check.head.epoch), seq \(check.head.seq), "
                + (findings.newestEntry.map { "last message of \($0.time)" } ?? "no messages")
        ]
        switch findings.replaced {
        case .none: lines.append("replaced ledger: none")
        case .damaged:
            lines.append("replaced ledger: damaged, cannot be read; what the backup lacks of it is unknown")
        case .readable(_, let head):
            lines.append(
                "replaced ledger: epoch \(head.epoch), seq \(head.seq); " + (missing.map(Self.lacks) ?? "not compared"))
        }
        lines.append(
            head.isEmpty
                ? "Redis: no ledger recorded"
                : "Redis: epoch \(head.epoch.text); \(rowsKnownToRedis) recorded up to seq \(head.settled.text), the backup has \(check.head.messages.grouped)"
        )
        lines.append("stream: " + coverage)
        return lines
    }

    private var rowsKnownToRedis: String { Int(clamping: head.recorded ?? 0).counted("row") }

    private static func lacks(_ missing: MissingRows) -> String {
        if missing.rows == 0, missing.catalogueChanges == 0, missing.isWhole { return "the backup lacks nothing of it" }
        let versions =
            missing.catalogueChanges == 0
            ? "" : ", and \(missing.catalogueChanges.counted("version")) of the catalogue"
        let rows = "\(missing.commands.text) and \(missing.deadLetters.counted("dead letter")) of it\(versions)"
        if missing.isWhole { return "the backup lacks \(rows)" }
        return
            "it is damaged (\(missing.unread.joined(separator: ", "))); the backup lacks at least \(rows)"
    }

    /// Up to three facts: what is known to be lost, how far back the stream goes, and what cannot be known.
    var coverage: String {
        let gone = (missing?.rows ?? 0) - (missing?.entries.count ?? 0) + absent.count
        let goneOnes =
            "\(gone.grouped) of these are missing from it, sent from \(absent.min()?.time ?? "an unknown time") to \(absent.max()?.time ?? "an unknown time"): publish those messages again"
        guard findings.replacedIsNewest, missing?.isWhole == true else {
            return (gone > 0 ? goneOnes + ". Of the rest: " : "") + coverageByStream
        }
        if gone > 0 { return goneOnes }
        return "holds everything since the backup, \(Self.decidedAgain)"
            + (head.isEmpty ? ". Redis does not remember whether there was a newer ledger than the replaced one" : "")
    }

    private static let decidedAgain = "which is decided again before anything new is sold"

    /// The coverage if no readable ledger has everything that was recorded. The stream alone never proves that nothing
    /// is missing: Redis itself may have lost something.
    private var coverageByStream: String {
        let newest = findings.newestEntry
        let after = newest.map { "after \($0.time)" } ?? "from any time"
        guard let stream = findings.stream, let last = stream.last, newest.map({ $0 <= last }) ?? true else {
            return
                "has nothing since the backup: it was deleted or created again, or Redis is older than the backup. Messages \(after) may be lost. Publish them again"
        }
        if let since = findings.recordedSince, since > stream.length {
            return
                "holds \(Int(clamping: stream.length).counted("message")), and \(Int(clamping: since).counted("row")) were recorded since the backup: \(Int(clamping: since - stream.length).grouped) or more are lost. Publish all messages \(after) again"
        }
        // The stream covers the time since the backup if it goes back that far, or has nothing newer.
        guard newest == last || newest.flatMap({ newest in stream.first.map { $0 <= newest } }) ?? false else {
            return
                "has nothing from before \(stream.first?.time ?? "now"): messages \(after), until then, may be lost. Publish those from that time again"
        }
        return
            "holds every message that it has received since the backup, \(Self.decidedAgain). Whether Redis has lost any cannot be known without the replaced ledger: publish again what has no outcome"
    }

    /// What remains to be done once the backup is in place.
    var advice: [String] {
        var lines: [String] = []
        if findings.replaced != .none, missing?.isWhole != true {
            lines.append(
                "What was erased since the backup is not known in full. Erase again what customers have asked for since then."
            )
        }
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
        if let later = findings.catalogueBefore, later > findings.backup.head.catalogueVersion {
            lines.append(
                "The catalogue was changed since the backup (version \(findings.backup.head.catalogueVersion), it was \(later)). Before you start a consumer: stocktake sync FILE. Otherwise it decides by the old caps and products."
            )
        }
        lines.append("Start a consumer: it first decides again what the stream holds.")
        return lines
    }
}

extension Int64? {
    /// The number as text, or "none".
    fileprivate var text: String { map(String.init) ?? "none" }
}
