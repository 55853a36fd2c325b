import GRDB
import Domain
import Ledger
import LedgerSamples
import TextEncodings
import Testing

@testable import SQLiteLedger

/// The public names of tables, views and columns, for people and programs that query the file.
@Suite struct PublicNamesTests {
    @Test("Every field of an order is found under its name")
    func order() async throws {
        let checkout = Checkout(
            orderID: "cs_1", paymentIntentID: "pi_1", completedAt: "2026-11-22T09:59:58Z",
            customer: .init(id: "c-id", email: "c-email", name: "c-name"), currency: "usd", subtotal: 11, tax: 12,
            shipping: 13, total: 36,
            items: [
                .init(
                    productID: "cube", variantID: "black", units: 2, unitPrice: 5, stripeProductID: "prod",
                    productName: "p-name", variantName: "v-name"),
                .init(productID: "sheet", units: 1, unitPrice: 0),
            ],
            shippingAddress: .init(
                name: "s", line1: "s-1", line2: "s-2", city: "s-city", state: "s-state", postalCode: "s-code",
                country: "US"))
        try await withLedger { fixture async throws in
            try await fixture.record(LedgerSamples.order(checkout, .accepted(seq: 1)))
            let columns = try await fixture.texts(
                """
                SELECT concat FROM (SELECT stripe_payment_intent_id || ' ' || completed_at || ' ' || customer_id || ' '
                || customer_email || ' ' || customer_name || ' ' || currency || ' ' || subtotal || ' ' || tax || ' '
                || shipping || ' ' || total || ' ' || shipping_name || ' ' || shipping_line1 || ' ' || shipping_line2
                || ' ' || shipping_city || ' ' || shipping_state || ' ' || shipping_postal_code || ' '
                || shipping_country AS concat FROM orders)
                """)
            #expect(
                columns == [
                    "pi_1 2026-11-22T09:59:58Z c-id c-email c-name usd 11 12 13 36 s s-1 s-2 s-city s-state s-code US"
                ])
            let items = try await fixture.texts(
                """
                SELECT line || ' ' || product_id || ' ' || coalesce(variant_id, '-') || ' ' || quantity || ' '
                || unit_price || ' ' || coalesce(stripe_product_id, '-') || ' ' || coalesce(product_name, '-') || ' '
                || coalesce(variant_name, '-') FROM order_items ORDER BY line
                """)
            #expect(items == ["1 cube black 2 5 prod p-name v-name", "2 sheet - 1 0 - - -"])
            #expect(
                try await fixture.texts("SELECT hex(digest) FROM orders") == [checkout.contentDigest.hex.uppercased()])
        }
    }

    @Test("So is every field of a catalogue")
    func catalogue() async throws {
        let catalogue = Catalogue(
            categories: ["c"],
            products: [
                Product(
                    id: "p", name: "name", description: "short", longDescription: "long", category: "c", devStatus: 4,
                    basePrice: 123, stripeProductID: "prod_1", requiresAssembly: true, cap: 7,
                    images: "[\"a\"]", specs: "{\"s\":1}", metadata: "{\"m\":2}",
                    variants: [
                        Variant(
                            id: "v", name: "vn", description: "vd", stripeProductID: "prod_2", cap: 3,
                            images: "[\"b\"]", specs: "{}", metadata: "{\"m\":3}")
                    ])
            ])
        try await withLedger(catalogue) { fixture async throws in
            func row(_ table: String) async throws -> [String: String] {
                try await fixture.ledger.read { db in
                    let row = try Row.fetchOne(db, sql: "SELECT * FROM \(table)") ?? Row()
                    var values: [String: String] = [:]
                    for (column, value) in row where !column.hasSuffix("_at") && column != "catalogue_version" {
                        values[column] = String.fromDatabaseValue(value) ?? value.description
                    }
                    return values
                }
            }
            #expect(
                try await row("products") == [
                    "id": "p", "position": "0", "name": "name", "description": "short",
                    "long_description": "long", "category": "c", "dev_status": "4", "base_price": "123",
                    "stripe_product_id": "prod_1", "has_variants": "1", "requires_assembly": "1",
                    "images": #"["a"]"#, "specs": #"{"s":1}"#, "metadata": #"{"m":2}"#, "is_active": "1",
                    "max_quantity": "7", "sold_quantity": "0", "adjusted_quantity": "0", "available_quantity": "7",
                    "is_available": "1",
                ])
            #expect(
                try await row("variants") == [
                    "id": "v", "product_id": "p", "position": "0", "name": "vn", "description": "vd",
                    "stripe_product_id": "prod_2", "images": #"["b"]"#, "specs": "{}",
                    "metadata": #"{"m":3}"#, "is_active": "1", "max_quantity": "3", "sold_quantity": "0",
                    "adjusted_quantity": "0",
                    "available_quantity": "3", "is_available": "1",
                ])
            #expect(try await fixture.texts("SELECT name FROM categories") == ["c"])
            var changed = catalogue
            changed.categories.append("new")
            _ = try await fixture.ledger.sync(changed)
            #expect(try await fixture.texts("SELECT name FROM categories ORDER BY position") == ["c", "new"])
        }
    }

    @Test("So are the units that a cancellation took from its order")
    func cancellation() async throws {
        try await withLedger { fixture async throws in
            let owned = [SKUUnits(SKU("cube", "black"), 3), SKUUnits(SKU("sheet"), 2)]
            try await fixture.record(
                LedgerSamples.order("o", [("cube", "black", 3), ("sheet", nil, 2)], .accepted(seq: 1)))
            let some = Cancellation(
                cancellationID: "some", orderID: "o", items: [SKUUnits(SKU("cube", "black"), 4)], restock: false)
            try await fixture.record(LedgerSamples.cancellation(some, of: owned, .unchanged))
            #expect(
                try await fixture.texts("SELECT adjusted_quantity FROM variant_counters WHERE id = 'black'") == ["3"])
            let row = "SELECT units || ' ' || not_owned || ' ' || (seq IS NULL) FROM cancellations"
            #expect(try await fixture.texts(row) == ["0 1 1"])
            let rows = """
                SELECT cancellation_id || ' ' || coalesce(variant_id, product_id) || ' ' || coalesce(asked, 'all') || ' '
                    || released || ' ' || given_back FROM cancellation_items ORDER BY cancellation_id, line
                """
            #expect(try await fixture.texts(rows) == ["some black 4 3 0"])
            #expect(try await fixture.texts("SELECT status FROM orders") == ["accepted"])
        }
    }
}
