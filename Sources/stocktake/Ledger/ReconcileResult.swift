import Domain
import Ledger
import Operations
import Reconciliation
import StrictJSON
import TextEncodings

/// The findings of `reconcile`, and its repair.
struct ReconcileResult {
    /// The comparison before any repair; nil if the counters could not be compared.
    var report: DriftReport?
    /// The result of the repair; nil if none was requested.
    var repair: DriftRepair.Result?
    var miscounts: [Miscount] = []
    /// The product of each variant, for the table.
    var owners: [Identifier: Identifier] = [:]
    /// The number of counters above their cap.
    var passed = 0
    /// The maximum number of drifting counters that are explained.
    static let explained = 20

    /// Whether nothing differs, or everything was repaired.
    var isRight: Bool { repair != nil || (report?.isClean ?? false) && miscounts.isEmpty }

    /// Prints the result.
    /// - Parameter listed: whether the table of all counters was printed already.
    func show(listed: Bool) {
        if let report {
            if !listed { showDrift(report.drift) }
            showExplanations(report)
        }
        for miscount in miscounts {
            print(
                "ledger: \(miscount.counter.level.rawValue) \(miscount.counter.id): \(miscount.column.rawValue) is \(miscount.recorded.grouped), the records add up to \(miscount.counted.grouped)"
            )
        }
        if passed > 0 { print("\(passed.counted("counter")) above the cap") }
        print(conclusion)
        if let repair { print(Self.text(of: repair)) }
    }

    private func showDrift(_ drift: [Drift]) {
        if drift.isEmpty { return }
        var table = Table([
            ("PRODUCT", .left), ("VARIANT", .left), ("LEDGER", .right), ("IN FLIGHT", .right), ("EXPECTED", .right),
            ("COUNTER", .right), ("DRIFT", .right), ("", .left),
        ])
        for drift in drift {
            let id = drift.counter.id
            let names =
                switch drift.counter.level {
                case .product: [id.text, ""]
                case .variant: [owners[id]?.text ?? "", id.text]
                }
            table.add(names + drift.comparison.cells)
        }
        table.print()
    }

    private func showExplanations(_ report: DriftReport) {
        for drift in report.drift where !drift.explanation.isEmpty {
            let changes = drift.explanation.map { "\($0.kind.rawValue) \($0.id)" }.joined(separator: ", ")
            print("\(drift.counter.level.rawValue) \(drift.counter.id): as if these had not happened: \(changes)")
        }
        if report.extraFields > 0 {
            let names = report.extraNames.map { "\"\($0)\"" }.joined(separator: ", ")
            print(
                "\(Int(clamping: report.extraFields).counted("field")) in the counters' hash that do not belong to the catalogue: \(names)"
            )
        }
    }

    private var conclusion: String {
        guard let report else { return "the counters could not be compared before the repair" }
        let found =
            if report.isClean {
                "no drift"
            } else if report.drift.isEmpty {
                "extra fields"
            } else {
                "drift in \(report.drift.count.counted("counter"))"
            }
        return "\(report.compared.counted("counter")) compared at epoch \(report.epoch), seq \(report.seq): \(found)"
    }

    private static func text(of repair: DriftRepair.Result) -> String {
        guard let repairEpoch = repair.repairEpoch, let installedEpoch = repair.installedEpoch else {
            return "nothing to repair"
        }
        return
            "repaired \(repair.repaired.counted("difference")) by epoch \(repairEpoch), installed by epoch \(installedEpoch): no drift"
    }

    var json: JSONValue {
        .members([
            "epoch": .integer(report?.epoch), "seq": .integer(report?.seq), "compared": .integer(report?.compared),
            "drift": .array((report?.drift ?? []).map(Self.json)), "extra_fields": .integer(report?.extraFields ?? 0),
            "extra_names": .array((report?.extraNames ?? []).map { .string($0) }),
            "miscounts": .array(miscounts.map(\.json)), "repaired": .integer(repair?.repaired ?? 0),
            "repair_epoch": .integer(repair?.repairEpoch), "installed_epoch": .integer(repair?.installedEpoch),
        ])
    }

    private static func json(_ drift: Drift) -> JSONValue {
        let comparison = drift.comparison
        return .members([
            "level": .string(drift.counter.level.rawValue), "id": .string(drift.counter.id.text),
            "ledger": .integer(comparison.ledger), "in_flight": .integer(comparison.inFlight),
            "expected": .integer(comparison.expected.sold), "counter": .integer(comparison.found.sold),
            "drift": .integer(comparison.drift), "ledger_cap": .integer(comparison.expected.cap),
            "counter_cap": .integer(comparison.found.cap), "ledger_closed": .bool(!comparison.expected.isActive),
            "counter_closed": .bool(!comparison.found.isActive),
            "explained_by": .array(
                drift.explanation.map { change in
                    .members([
                        "kind": .string(change.kind.rawValue), "id": .string(change.id.text),
                        "seq": .integer(change.seq), "units": .integer(change.units),
                    ])
                }),
        ])
    }
}

extension CounterComparison {
    /// The cells LEDGER, IN FLIGHT, EXPECTED, COUNTER, DRIFT and a note.
    var cells: [String] {
        [
            ledger.grouped, inFlight.grouped, (expected.sold ?? 0).grouped, found.sold?.grouped ?? "missing",
            drift?.grouped ?? "?", detail,
        ]
    }
}

extension Miscount {
    var json: JSONValue {
        .members([
            "level": .string(counter.level.rawValue), "id": .string(counter.id.text),
            "column": .string(column.rawValue), "recorded": .integer(recorded), "counted": .integer(counted),
        ])
    }
}
