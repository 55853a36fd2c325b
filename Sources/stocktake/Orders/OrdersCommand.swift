import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

struct OrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "Orders in the ledger.",
        subcommands: [List.self, Show.self, History.self, Erase.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists orders, latest first. For refunds that are due see 'stocktake refunds list'.")

        @OptionGroup var options: SettingsOptions

        @Option(
            help: "Only orders with this status: accepted, refused or cancelled.", completion: .list(OrderStatus.words),
            transform: { try OrderStatus.named($0) })
        var status: OrderStatus?

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let orders = try await ledger.orders(status: status, limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members([
                        "orders": .array(orders.elements.map { $0.json(withItems: false) }), "next": .text(orders.next),
                    ]))
                return
            }
            var table = Table([
                ("ORDER", .left), ("STATUS", .left), ("REASON", .left), ("UNITS", .right),
                ("TOTAL (MINOR UNITS)", .right),
                ("DECIDED", .left), ("PAYMENT", .left),
            ])
            for order in orders.elements {
                let money = order.checkout.total.map { "\($0) \(order.checkout.currency ?? "")" } ?? ""
                table.add([
                    order.checkout.orderID.text, order.status.rawValue, order.reasonText, order.units.grouped, money,
                    order.decidedAt, order.checkout.paymentIntentID ?? "",
                ])
            }
            table.print()
            page.tellNext(orders.next)
        }
    }
}

/// The flags that select a page of a list.
struct PageOptions: ParsableArguments {
    @Option(help: "The maximum number of rows.")
    var limit = 50

    @Option(help: "Continue after the previous page: the value that it printed as \"more\" or \"next\".")
    var after: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if !(1...100_000).contains(limit) { throw ValidationError("--limit must be from 1 to 100000.") }
        if let after, Int64(after) == nil { throw ValidationError("--after must be \"next\" of the previous page.") }
    }

    func tellNext(_ next: String?) {
        if let next { print("more: --after \(next)") }
    }
}

/// Opens the ledger that the settings name for reading.
func openForReading(_ options: SettingsOptions) async throws -> any LedgerReader {
    let settings = try options.resolve()
    return try await settings.ledger.openReader(settings.store)
}

extension RecordedOrder {
    /// The shortage: "sold_out (variant BLACK: 2 asked, 0 left)"; empty if there is none.
    var reasonText: String {
        guard let shortage else { return "" }
        return
            "\(shortage.reason.rawValue) (\(shortage.counter.level.rawValue) \(shortage.counter.id): \(shortage.asked.grouped) asked, \(shortage.left.grouped) left)"
    }

    func json(withItems: Bool) -> JSONValue {
        guard
            case .object(var object) = JSONValue.members([
                "id": .string(checkout.orderID.text), "status": .string(status.rawValue),
                "reason": .text(shortage?.reason.rawValue),
                "refused": shortage.map { shortage in
                    .members([
                        "level": .string(shortage.counter.level.rawValue), "id": .string(shortage.counter.id.text),
                        "asked": .integer(shortage.asked), "left": .integer(shortage.left),
                    ])
                } ?? .null,
                "seq": .integer(seq), "units": .integer(units), "decided_at": .string(decidedAt),
                "entry_id": .string(entryID), "erased_at": .text(erasedAt),
                "payment_intent_id": .text(checkout.paymentIntentID),
                "completed_at": .text(checkout.completedAt), "currency": .text(checkout.currency),
                "subtotal": .integer(checkout.subtotal), "tax": .integer(checkout.tax),
                "shipping": .integer(checkout.shipping), "total": .integer(checkout.total),
            ])
        else { return .null }
        guard withItems else { return .object(object) }
        if let customer = checkout.customer {
            object.append(
                "customer",
                .members(["id": .text(customer.id), "email": .text(customer.email), "name": .text(customer.name)]))
        }
        if let address = checkout.shippingAddress {
            object.append(
                "shipping_address",
                .members([
                    "name": .text(address.name), "line1": .text(address.line1), "line2": .text(address.line2),
                    "city": .text(address.city), "state": .text(address.state),
                    "postal_code": .text(address.postalCode), "country": .text(address.country),
                ]))
        }
        object.append("items", .array(checkout.items.map(Self.item)))
        return .object(object)
    }

    private static func item(_ item: Checkout.Item) -> JSONValue {
        .members([
            "product_id": .string(item.productID.text), "variant_id": .text(item.variantID?.text),
            "quantity": .integer(item.units), "unit_price": .integer(item.unitPrice),
            "stripe_product_id": .text(item.stripeProductID), "product_name": .text(item.productName),
            "variant_name": .text(item.variantName),
        ])
    }
}
