import ArgumentParser
import Counters
import Inventory
import Ledger
import Reconciliation
import StrictJSON

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compares the counters in Redis with the ledger, exactly, while orders flow.",
        discussion: "Exit codes: 0 no drift; 1 drift, or a cap is passed; 2 could not tell.")

    @OptionGroup var options: SettingsOptions

    @Flag(help: "List every counter, not only those that drift.")
    var all = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let settings = try options.resolve()
        let ledger = try await LedgerDatabase.open(at: settings.ledger, store: settings.store, for: .reader)
        defer { try? ledger.close() }
        let client = settings.client()
        let reader = CounterReader(keys: settings.keys, client: client)
        let report = try await Reconciler(ledger: ledger, counters: reader, redis: settings.redis.redacted).drift()
        await client.close()
        let passed = all ? try await list(ledger, report) : 0
        if json { printJSON(Self.json(report)) } else { conclude(report, passed: passed) }
        if !report.isClean || passed > 0 { throw Exit.no }
    }

    private func conclude(_ report: DriftReport, passed: Int) {
        if !all {
            var table = Table([
                ("LEVEL", .left), ("ID", .left), ("LEDGER", .right), ("COUNTER", .right), ("DRIFT", .right),
                ("", .left),
            ])
            for drift in report.drift { table.add(Self.cells(drift)) }
            if !report.drift.isEmpty { table.print() }
        }
        if report.extraFields > 0 {
            print(
                "\(Int(clamping: report.extraFields).counted("field")) in the counters' hash that no product of the catalogue has"
            )
        }
        if passed > 0 { print("\(passed.counted("counter")) above the cap") }
        let found = report.isClean ? "no drift" : "drift in \(report.drift.count.counted("counter"))"
        print("\(report.compared.counted("counter")) compared at epoch \(report.epoch), seq \(report.seq): \(found)")
    }

    private static func cells(_ drift: Drift) -> [String] {
        var notes: [String] = []
        if drift.expected.cap != drift.found.cap {
            notes.append("cap \(text(drift.found.cap, "none")) instead of \(text(drift.expected.cap, "none"))")
        }
        if drift.expected.isClosed != drift.found.isClosed {
            notes.append(drift.found.isClosed ? "closed" : "not closed")
        }
        return [
            drift.counter.level.rawValue, drift.counter.id.text, text(drift.expected.sold, "?"),
            text(drift.found.sold, "missing"), text(drift.units, "?"), notes.joined(separator: ", "),
        ]
    }

    private static func text(_ number: Int64?, _ none: String) -> String { number?.grouped ?? none }

    /// The whole table, from the ledger, with the drift found.
    /// - Returns: how many counters are above their cap.
    private func list(_ ledger: LedgerDatabase, _ report: DriftReport) async throws -> Int {
        let snapshot = try await ledger.stock()
        let refused = try await ledger.refusals()
        let drifting = Dictionary(uniqueKeysWithValues: report.drift.map { ($0.counter, $0) })
        var table = Table([
            ("PRODUCT", .left), ("VARIANT", .left), ("CAP", .right), ("SOLD", .right), ("LEFT", .right),
            ("REFUSED", .right), ("DRIFT", .right),
        ])
        var passed = 0
        func add(_ counter: CounterName, _ figures: Availability.Figures, product: String, variant: String) {
            if let cap = figures.maxQuantity, figures.soldQuantity > cap { passed += 1 }
            table.add([
                product, variant, figures.maxQuantity?.grouped ?? "unlimited", figures.soldQuantity.grouped,
                figures.availableQuantity?.grouped ?? "unlimited", (refused[counter] ?? 0).grouped,
                drifting[counter].map { Self.text($0.units, "missing") } ?? "0",
            ])
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

    private static func json(_ report: DriftReport) -> JSONValue {
        .members([
            "epoch": .integer(report.epoch), "seq": .integer(report.seq), "compared": .integer(report.compared),
            "drift": .array(
                report.drift.map { drift in
                    .members([
                        "level": .string(drift.counter.level.rawValue), "id": .string(drift.counter.id.text),
                        "ledger": .integer(drift.expected.sold), "counter": .integer(drift.found.sold),
                        "drift": .integer(drift.units), "ledger_cap": .integer(drift.expected.cap),
                        "counter_cap": .integer(drift.found.cap), "ledger_closed": .bool(drift.expected.isClosed),
                        "counter_closed": .bool(drift.found.isClosed),
                    ])
                }),
            "extra_fields": .integer(report.extraFields), "repaired": .integer(0),
        ])
    }
}
