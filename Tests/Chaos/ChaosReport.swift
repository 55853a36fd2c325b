import Foundation

/// A run's actions and results.
package struct ChaosReport: Sendable {
    package var seed: UInt64
    package var violations: [ChaosJournal.Violation]
    /// The folder with ledger, logs and history, if they were kept.
    package var folder: String?
    package var text: String

    /// Violations of one kind that are shown.
    private static let shown = 4

    init(
        seed: UInt64, journal: ChaosJournal, contents: LedgerContents, disk: String, folder: String?,
        duration: Duration
    ) {
        self.seed = seed
        self.folder = folder
        violations = journal.violations
        var lines: [String] = []
        func section(_ heading: String, _ counts: [(String, Int)]) {
            if counts.isEmpty { return }
            lines.append(heading)
            let width = counts.map(\.0.count).max() ?? 0
            for (name, number) in counts {
                let text = String(number)
                let pad = String(repeating: " ", count: max(width - name.count, 0) + max(8 - text.count, 0))
                lines.append("  \(name)  \(pad)\(text)")
            }
        }
        func counted(_ heading: String) -> [(String, Int)] {
            journal.counts(heading).sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
                .map { ($0.key, $0.value) }
        }
        section("FAULTS", counted("faults"))
        section(StayingFaults.heading, counted(StayingFaults.heading))
        section(StayingFaults.returnHeading, counted(StayingFaults.returnHeading))
        section(LedgerFaults.heading, counted(LedgerFaults.heading))
        section(OperatorDeeds.heading, counted(OperatorDeeds.heading))
        section("MESSAGES SENT", counted("messages"))
        section("REFUSED BY REDIS", counted("refused by Redis"))
        section("CONSUMERS", counted("consumers"))
        section(Shopfront.heading, counted(Shopfront.heading))
        section("LOOKED AT MEANWHILE", counted("samples"))
        var outcomes: [(String, Int)] = Dictionary(grouping: contents.orders, by: \.status)
            .map { ("orders \($0.key)", $0.value.count) }.sorted { $0.0 < $1.0 }
        outcomes += [
            ("cancellations", contents.cancellations.count), ("adjustments", contents.adjustments.count),
            ("refunds", contents.refunds.count),
        ].filter { $0.1 > 0 }
        outcomes += Dictionary(grouping: contents.deadLetters, by: \.reason)
            .map { ("dead letters \($0.key)", $0.value.count) }.sorted { $0.0 < $1.0 }
        outcomes += [
            ("repairs", contents.repairs.count), ("epochs", Int(contents.head.epoch)),
            ("seq", Int(contents.head.seq)),
            ("catalogues", Int(contents.head.catalogueVersion)),
        ]
        section("OUTCOMES", outcomes)
        let seconds = String(format: "%.1f", duration / .milliseconds(1) / 1_000)
        lines.append("seed \(seed), \(seconds) s, the ledger's disk: \(disk)")
        for (invariant, found) in Dictionary(grouping: violations, by: \.invariant.rawValue).sorted(by: {
            $0.key < $1.key
        }) {
            lines += found.prefix(Self.shown).map { "VIOLATION of \(invariant): \($0.text)" }
            if found.count > Self.shown { lines.append("… and \(found.count - Self.shown) more of \(invariant)") }
        }
        lines.append(violations.isEmpty ? "no violation" : "\(violations.count) violations")
        if let folder { lines.append("ledger, logs and history are in \(folder)") }
        text = lines.joined(separator: "\n")
    }
}
