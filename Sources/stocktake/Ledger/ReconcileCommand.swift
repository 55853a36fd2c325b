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
