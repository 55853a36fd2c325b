import ArgumentParser
import AvailabilityAPI
import Counters
import Domain
import Ledger
import RedisClient
import TextEncodings

struct StockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stock", abstract: "Availability, its history, and adjustments of units sold.",
        subcommands: [StockShowCommand.self, StockHistoryCommand.self, StockAdjustCommand.self],
        defaultSubcommand: StockShowCommand.self)
}

struct StockShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what can be sold now, from Redis or, if Redis is unavailable, from the ledger.",
        discussion: "'stock' alone does the same. Exit codes: 0 success; 1 an id is unknown.")

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The products' ids. Default: all active products.", valueName: "ID"))
    var ids: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Refresh every second until interrupted.")
    var watch = false

    func run() async throws {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openReader(settings.store)
        let client = settings.client()
        let view = StockView(
            ledger: ledger, reader: CounterReader(keys: settings.keys, client: client), ids: ids.map { Identifier($0) })
        repeat {
            let stock = try await view.read()
            if !stock.unknown.isEmpty {
                for id in stock.unknown {
                    printError("no product \"\(id)\" in store \(settings.store). \(stock.hint(for: id))")
                }
                throw Exit.no
            }
            if json { printJSON(stock.json) } else { show(stock, again: watch) }
            if watch { try await Task.sleep(for: .seconds(1)) }
            // Stops when the output no longer has a reader.
        } while watch && StandardOutput.reason == nil
        await client.close()
    }

    private func show(_ stock: StockView.Stock, again: Bool) {
        // Cursor home, then clear to the end: the table stays in place while its numbers change.
        if again { StandardOutput.write("\u{1B}[H\u{1B}[J") }
        if let notice = stock.notice { printError(notice) }
        var table = Table([
            ("PRODUCT", .left), ("VARIANT", .left), ("CAP", .right), ("SOLD", .right), ("LEFT", .right), ("", .left),
        ])
        for product in stock.products {
            table.add(Self.cells(product.product, product: product.product.id.text, variant: ""))
            for variant in product.variants { table.add(Self.cells(variant, product: "", variant: variant.id.text)) }
        }
        table.print()
    }

    private static func cells(_ stock: Availability.Stock, product: String, variant: String) -> [String] {
        let note =
            if !stock.isActive { "closed" } else if stock.isAvailable { "" } else { "sold out" }
        return [
            product, variant, stock.cap?.grouped ?? "unlimited", stock.sold.grouped,
            stock.available?.grouped ?? "unlimited", note,
        ]
    }
}

/// Reads availability: the counters from Redis, their names from the ledger.
struct StockView: Sendable {
    let ledger: any LedgerReader
    let reader: CounterReader
    let ids: [Identifier]

    struct Stock: Sendable {
        var moment: SnapshotVersion
        var products: [Availability] = []
        var unknown: [Identifier]
        /// The products of those unknown ids that are variants.
        var owners: [Identifier: Identifier] = [:]
        /// The products that were probably meant by the other unknown ids.
        var suggestions: [Identifier: Identifier] = [:]
        /// Why the availability is not from Redis.
        var notice: String?
    }

    func read() async throws -> Stock {
        let snapshot = try await ledger.stock()
        var chosen = snapshot.products
        var unknown: [Identifier] = []
        if ids.isEmpty {
            chosen = chosen.filter { $0.state.isActive }
        } else {
            let byID = Dictionary(uniqueKeysWithValues: chosen.map { ($0.id, $0) })
            unknown = ids.filter { byID[$0] == nil }
            chosen = ids.compactMap { byID[$0] }
        }
        var stock = Stock(
            moment: SnapshotVersion(
                source: .ledger, epoch: snapshot.head.epoch, seq: snapshot.head.seq,
                catalogue: snapshot.head.catalogueVersion, asOf: Timestamp.now()),
            unknown: unknown)
        if !unknown.isEmpty {
            for product in snapshot.products {
                for variant in product.variants { stock.owners[variant.id] = product.id }
            }
            let suggestion = IdentifierSuggestion(snapshot.products.map(\.id))
            for id in unknown { stock.suggestions[id] = suggestion.closest(to: id) }
        }
        // Read before the counters, which must have reached it.
        let watermark = try await ledger.watermark()
        do {
            let valid = try await reader.read(
                chosen.map(\.counters), of: ledger.identity, reaching: watermark)
            let states = Dictionary(
                zip(chosen.flatMap(\.counters), valid.states), uniquingKeysWith: { first, _ in first })
            if !valid.states.contains(where: { $0.sold == nil }) {
                stock.moment = SnapshotVersion(
                    source: .redis, epoch: valid.epoch, seq: valid.seq,
                    catalogue: valid.catalogue ?? snapshot.head.catalogueVersion, asOf: stock.moment.asOf)
                stock.products = chosen.map { $0.availability(states) }
                return stock
            }
            stock.notice =
                valid.catalogue == snapshot.head.catalogueVersion
                ? "The counters in Redis are not complete." : "The consumer has not adopted the new catalogue yet."
        } catch let fault as CounterFault {
            stock.notice = Self.sentence(for: fault)
        } catch {
            stock.notice = explained(error)
        }
        stock.notice?.append(" Showing the ledger's availability.")
        stock.products = chosen.map { $0.availability() }
        return stock
    }

    private static func sentence(for fault: CounterFault) -> String {
        switch fault {
        case .notInstalled: "No counters are installed in Redis: no consumer has run."
        case .otherLedger: "The counters in Redis belong to another ledger."
        case .behind: "The counters in Redis are behind the ledger; a consumer installs them again."
        case .changing: "The counters in Redis are being installed again."
        }
    }
}

extension StockView.Stock {
    /// A hint for an unknown id.
    fileprivate func hint(for id: Identifier) -> String {
        if let owner = owners[id] {
            return "It is a variant of \"\(owner)\", with which it is shown: 'stocktake stock show \(owner)'."
        }
        return suggestions[id].map { "Did you mean \"\($0)\"?" }
            ?? "The arguments are products, which are shown with their variants; 'stocktake stock' lists them."
    }

    var json: String { moment.json(products) }
}
