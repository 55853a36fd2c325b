import ArgumentParser
import Counters
import Domain
import Ledger
import Operations
import Reconciliation
import StrictJSON
import TextEncodings

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compares the counters in Redis with the ledger, exactly, while orders flow.",
        discussion: """
            LEDGER is what was recorded when the counters were read, IN FLIGHT what was decided by then but recorded \
            later; COUNTER must be their sum. A repair opens a new epoch, which installs all counters again; it is \
            recorded ('stocktake repairs list'). Exit codes: 0 no drift, or repaired; 1 drift, or (with --all) a cap \
            is exceeded; 2 the comparison was not possible.
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Repair the differences.")
    var `repair` = false

    @Flag(help: "Also recount the ledger's own sold quantities from its orders, cancellations and adjustments.")
    var deep = false

    @Flag(help: "List every counter, not only those that drift.")
    var all = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let settings = try options.resolve()
        // Opens the ledger for writing only to repair.
        let admin = `repair` ? try await settings.ledger.openAdmin(settings.store) : nil
        let ledger: any LedgerReader =
            if let admin { admin } else { try await settings.ledger.openReader(settings.store) }
        let client = settings.client()
        defer { try? ledger.close() }
        let reconciler = Reconciler(
            ledger: ledger, counters: CounterReader(keys: settings.keys, client: client),
            redis: settings.redis.redacted)
        var finding = ReconcileResult()
        if deep { finding.miscounts = try await ledger.recount() }
        if let admin {
            let driftRepair = DriftRepair(
                await settings.accessOfOperator(), ledger: admin, client: client, reconciler: reconciler,
                reason: "stocktake reconcile --repair")
            let result = try await driftRepair.run(
                miscounts: finding.miscounts, comparesAll: all, explained: ReconcileResult.explained)
            (finding.report, finding.repair) = (result.report, result)
        } else {
            finding.report = try await reconciler.drift(all: all, explained: ReconcileResult.explained)
        }
        if all, let report = finding.repair?.after ?? finding.report { finding.passed = try await list(ledger, report) }
        await client.close()
        if json {
            printJSON(finding.json)
        } else {
            if !all, finding.report?.drift.isEmpty == false { finding.owners = try await owners(ledger) }
            finding.show(listed: all)
        }
        if !finding.isRight || finding.passed > 0 { throw Exit.no }
    }

    /// The product of each variant.
    private func owners(_ ledger: any LedgerReader) async throws -> [Identifier: Identifier] {
        let pairs = try await ledger.stock().products.flatMap { product in
            product.variants.map { ($0.id, product.id) }
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// Prints the table of all counters, except with `--json`.
    /// - Returns: how many counters are above their cap.
    private func list(_ ledger: any LedgerReader, _ report: DriftReport) async throws -> Int {
        let snapshot = try await ledger.stock()
        let refused = try await ledger.refusedOrders()
        let comparisons = Dictionary(uniqueKeysWithValues: report.comparisons.map { ($0.counter, $0) })
        var table = Table([
            ("PRODUCT", .left), ("VARIANT", .left), ("CAP", .right), ("LEFT", .right), ("REFUSED", .right),
            ("LEDGER", .right), ("IN FLIGHT", .right), ("EXPECTED", .right), ("COUNTER", .right), ("DRIFT", .right),
            ("", .left),
        ])
        var passed = 0
        func add(_ counter: CounterName, _ stock: Availability.Stock, product: String, variant: String) {
            if let cap = stock.cap, stock.sold > cap { passed += 1 }
            table.add(
                [
                    product, variant, stock.cap?.grouped ?? "unlimited",
                    stock.available?.grouped ?? "unlimited", (refused[counter] ?? 0).grouped,
                ] + (comparisons[counter]?.cells ?? Array(repeating: "", count: 6)))
        }
        for availability in snapshot.products.map({ $0.availability() }) {
            let product = availability.product
            add(.product(product.id), product, product: product.id.text, variant: "")
            for variant in availability.variants {
                add(.variant(variant.id), variant, product: "", variant: variant.id.text)
            }
        }
        if !json { table.print() }
        return passed
    }
}

/// The findings of `reconcile`, and its repair.
private struct ReconcileResult {
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

    func show(listed: Bool) {
        if let report, !listed, !report.drift.isEmpty {
            var table = Table([
                ("PRODUCT", .left), ("VARIANT", .left), ("LEDGER", .right), ("IN FLIGHT", .right), ("EXPECTED", .right),
                ("COUNTER", .right), ("DRIFT", .right), ("", .left),
            ])
            for drift in report.drift {
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
        for drift in report?.drift ?? [] where !drift.explanation.isEmpty {
            let changes = drift.explanation.map { "\($0.kind.rawValue) \($0.id)" }.joined(separator: ", ")
            print("\(drift.counter.level.rawValue) \(drift.counter.id): as if these had not happened: \(changes)")
        }
        if let report, report.extraFields > 0 {
            print(
                "\(Int(clamping: report.extraFields).counted("field")) in the counters' hash that do not belong to the catalogue: \(report.extraNames.map { "\"\($0)\"" }.joined(separator: ", "))"
            )
        }
        for miscount in miscounts {
            print(
                "ledger: \(miscount.counter.level.rawValue) \(miscount.counter.id): \(miscount.column.rawValue) is \(miscount.recorded.grouped), the records add up to \(miscount.counted.grouped)"
            )
        }
        if passed > 0 { print("\(passed.counted("counter")) above the cap") }
        if let report {
            let found =
                report.isClean
                ? "no drift"
                : report.drift.isEmpty ? "extra fields" : "drift in \(report.drift.count.counted("counter"))"
            print(
                "\(report.compared.counted("counter")) compared at epoch \(report.epoch), seq \(report.seq): \(found)")
        } else {
            print("the counters could not be compared before the repair")
        }
        if let repair, let repairEpoch = repair.repairEpoch, let installedEpoch = repair.installedEpoch {
            print(
                "repaired \(repair.repaired.counted("difference")) by epoch \(repairEpoch), installed by epoch \(installedEpoch): no drift"
            )
        } else if repair != nil {
            print("nothing to repair")
        }
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
    fileprivate var cells: [String] {
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
