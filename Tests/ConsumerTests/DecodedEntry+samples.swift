import Ingest
import Domain

@testable import Consumer

/// Entries for tests, by the number of their id.
extension DecodedEntry {
    typealias Line = (product: String, variant: String?, units: Int64)

    static func order(_ number: Int, _ id: String, _ lines: Line..., deliveries: Int64 = 1) -> DecodedEntry {
        let items = lines.map { #"{\#(sku($0.product, $0.variant)),"quantity":\#($0.units),"unit_price":1}"# }
        return message(
            number, "checkout.completed", #"{"order_id":"\#(id)","items":[\#(items.joined(separator: ","))]}"#,
            deliveries)
    }

    static func cancel(
        _ number: Int, _ id: String, order: String, _ lines: [Line]? = nil, restock: Bool = true
    ) -> DecodedEntry {
        let items = lines.map { lines in
            let items = lines.map { #"{\#(sku($0.product, $0.variant)),"quantity":\#($0.units)}"# }
            return #","items":[\#(items.joined(separator: ","))]"#
        }
        let payload = #"{"cancellation_id":"\#(id)","order_id":"\#(order)","restock":\#(restock)\#(items ?? "")}"#
        return message(number, "order.cancelled", payload)
    }

    static func adjust(
        _ number: Int, _ id: String, _ product: String, _ units: Int64, variant: String? = nil
    ) -> DecodedEntry {
        let payload = #"{"adjustment_id":"\#(id)",\#(sku(product, variant)),"sold":\#(units),"reason":"r"}"#
        return message(number, "stock.adjusted", payload)
    }

    static func refund(_ number: Int, _ id: String, order: String, currency: String = "usd") -> DecodedEntry {
        let payload = #"{"refund_id":"\#(id)","order_id":"\#(order)","amount":5,"currency":"\#(currency)"}"#
        return message(number, "order.refunded", payload)
    }

    /// An entry that can never be processed.
    static func junk(_ number: Int) -> DecodedEntry {
        EntryDecoder.decode(
            StreamEntry(id: "\(number)-0", fields: [.init(name: Array("type".utf8), value: Array("junk".utf8))]))
    }

    private static func sku(_ product: String, _ variant: String?) -> String {
        #""product_id":"\#(product)""# + (variant.map { #","variant_id":"\#($0)""# } ?? "")
    }

    private static func message(
        _ number: Int, _ type: String, _ payload: String, _ deliveries: Int64 = 1
    ) -> DecodedEntry {
        EntryDecoder.decode(
            StreamEntry(
                id: "\(number)-0",
                fields: [
                    .init(name: Array("type".utf8), value: Array(type.utf8)),
                    .init(name: Array("payload".utf8), value: Array(payload.utf8)),
                ], deliveries: deliveries))
    }
}
