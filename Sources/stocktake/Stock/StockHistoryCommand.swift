import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

struct StockHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Lists what changed the units sold and the caps of a product or variant, latest first.",
        discussion: """
            Lists adjustments, cancellations, changes of the catalogue and repairs, and between them the sum of the accepted \
            orders; --orders lists each order. POSITION is the position in the journal. A long history is read from its \
            end: the sums of a page need all orders between its events. Exit codes: 0 success; 1 the id is unknown; 2 the \
            ledger cannot be read.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The id of a product, with all its variants, or of a variant.", valueName: "ID"))
    var id: String

    @Flag(help: "List each order.")
    var orders = false

    @OptionGroup var page: PageOptions

    func run() async throws {
        let ledger = try await openForReading(options)
        defer { try? ledger.close() }
        let history = try await ledger.stockHistory(
            of: try await counter(ledger), listingOrders: orders, limit: page.limit, after: page.after)
        if page.json {
            return printJSON(.members(["history": .array(history.elements.map(\.json)), "next": .text(history.next)]))
        }
        var table = Table([
            ("POSITION", .right), ("WHEN", .left), ("WHAT", .left), ("ID", .left), ("SOLD", .right), ("BY", .left),
            ("DETAIL", .left),
        ])
        for event in history.elements {
            table.add([
                event.position.grouped, event.at, event.kind.rawValue, event.id ?? "",
                event.units.map { ($0 > 0 ? "+" : "") + $0.grouped } ?? "", event.by ?? "", event.text,
            ])
        }
        table.print()
        page.tellNext(history.next)
    }

    private func counter(_ ledger: any LedgerReader) async throws -> CounterName {
        let (id, products) = (Identifier(id), try await ledger.stock().products)
        if products.contains(where: { $0.id == id }) { return .product(id) }
        if products.contains(where: { $0.variants.contains { $0.id == id } }) { return .variant(id) }
        let suggestion = IdentifierSuggestion(products.map(\.id) + products.flatMap { $0.variants.map(\.id) }).closest(
            to: id)
        printError(
            "no product or variant \"\(id)\" in the ledger.\(suggestion.map { " Did you mean \"\($0)\"?" } ?? "")"
                .printable)
        throw Exit.no
    }
}

extension StockEvent {
    fileprivate var text: String {
        switch kind {
        case .orders: Int(clamping: orders ?? 0).counted("order")
        case .order: ""
        case .cancellation: "of order \(detail ?? "")"
        case .adjustment: detail ?? ""
        case .catalogue: before == nil && after == nil ? detail ?? "" : "\(detail ?? "") \(change)"
        case .repair: "\(detail ?? "") \(change)"
        }
    }

    private var change: String { "\(before ?? "none") → \(after ?? "none")" }

    fileprivate var json: JSONValue {
        .members([
            "position": .integer(position), "at": .string(at), "what": .string(kind.rawValue), "id": .text(id),
            "orders": .integer(orders), "units": .integer(units), "by": .text(by), "detail": .text(detail),
            "before": .text(before), "after": .text(after),
        ])
    }
}
