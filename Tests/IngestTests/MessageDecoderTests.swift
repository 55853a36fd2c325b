import Ingest
import Domain
import Testing

@Suite("Decoding messages")
struct MessageDecoderTests {
    @Test("Every field of a checkout is read")
    func everyField() {
        #expect(SampleMessage.decode(SampleMessage.payload) == .success(.placeOrder(Order(SampleMessage.checkout))))
    }

    @Test("Optional fields may be absent or null, unknown ones are ignored whatever they hold")
    func optionalFields() {
        let least = Checkout(orderID: "o", items: [Checkout.Item(productID: "p", units: 1, unitPrice: 0)])
        let payloads = [
            #"{"order_id":"o","items":[{"product_id":"p","quantity":1,"unit_price":0}]}"#,
            #"{"items":[{"unit_price":-0,"quantity":1,"product_id":"p"}],"order_id":"\u006f"}"#,
            """
            {"order_id":"o","payment_intent_id":null,"completed_at":null,"customer":null,"currency":null,
             "subtotal":null,"tax":null,"shipping":null,"total":null,"shipping_address":null,
             "items":[{"product_id":"p","variant_id":null,"quantity":1,"unit_price":0,"stripe_product_id":null,
                       "product_name":null,"variant_name":null}]}
            """,
            """
            {"order_id":"o","Order_id":7,"x":{"items":[{}]},"items":[{"product_id":"p","quantity":1,"unit_price":0,
             "Quantity":2.5,"note":["\\u0000",{"quantity":0}]}],"unit_price":"free"}
            """,
        ]
        for payload in payloads {
            #expect(SampleMessage.decode(payload) == .success(.placeOrder(Order(least))), "\(payload)")
        }
    }

    @Test(
        "A message's sender is read, is not part of its content, and is rejected if it is not a valid name",
        arguments: [
            (Command.Kind.placeOrder, SampleMessage.payload, "webhook 7"),
            (.cancel, SampleMessage.cancellation, "support"), (.adjust, SampleMessage.adjustment, "maria"),
            (.refund, SampleMessage.refund, "support"),
        ])
    func sender(kind: Command.Kind, payload: String, by: String) throws {
        func decode(_ by: String) -> Result<Command, InvalidMessage> {
            let changed = payload.replacing("\"\(self.name(in: payload))\"", with: by)
            return MessageDecoder.decode(
                type: ByteSlice(Array(kind.rawValue.utf8)), payload: ByteSlice(Array(changed.utf8)))
        }
        let message = try decode("\"\(by)\"").get()
        let other = try decode("null").get()
        #expect(message.by == by && other.by == nil)
        #expect(message.digest == other.digest && message.key == other.key)
        for wrong in ["7", #""""#, #""a\nb""#, "\"\(String(repeating: "x", count: 256))\"", "{}"] {
            guard case .failure(let invalid) = decode(wrong) else {
                Issue.record("\(wrong) is taken for a name")
                continue
            }
            #expect(invalid.detail.hasPrefix("by: "), "\(invalid.detail)")
        }
    }

    /// The name of a sample.
    private func name(in payload: String) -> String {
        String(payload.split(separator: #""by": ""#).last?.prefix { $0 != "\"" } ?? "")
    }

    @Test("Nulls in the customer and the address are absent fields, and texts are kept unchanged")
    func texts() {
        let payload = #"""
            {"order_id":"BANK CHARGES é e\u0301","customer":{"id":null,"name":" \"Ö\"\n£ "},"shipping_address":{"line2":""},
             "items":[{"product_id":"85123a","quantity":1000000,"unit_price":9007199254}],"subtotal":-9007199254740991}
            """#
        let checkout = Checkout(
            orderID: "BANK CHARGES é e\u{301}", customer: Checkout.Customer(name: " \"Ö\"\n£ "),
            subtotal: -9_007_199_254_740_991,
            items: [Checkout.Item(productID: "85123a", units: 1_000_000, unitPrice: 9_007_199_254)],
            shippingAddress: Checkout.Address(line2: ""))
        #expect(SampleMessage.decode(payload) == .success(.placeOrder(Order(checkout))))
    }

    @Test(
        "Every readable id of a rejected message is read",
        arguments: [
            (#"{"order_id":"o","cancellation_id":"c","adjustment_id":"a","items":7}"#, "o", "c", "a"),
            (#"{"cancellation_id":"c"}"#, nil, "c", nil),
            (#"{"adjustment_id":"\u0061","sold":0}"#, nil, nil, "a"),
            (#"{"items":[{"order_id":"inner"}],"order_id":7,"cancellation_id":"c"}"#, nil, "c", nil),
            (#"{"order_id":"","cancellation_id":"\n"}"#, nil, nil, nil),
            // Truncated, or malformed further on.
            (#"{"order_id":"o","cancellation_id":"c","items":[{"product_id""#, "o", "c", nil),
            (#"{"order_id":"o","order_id":"other","cancellation_id":"c"}"#, nil, "c", nil),
            (#"{"order_id":"o"#, nil, nil, nil), ("[]", nil, nil, nil), ("", nil, nil, nil), (nil, nil, nil, nil),
            (#"{"order_id":"o"}"# + String(repeating: " ", count: 1_048_576), "o", nil, nil),
        ] as [(String?, Identifier?, Identifier?, Identifier?)])
    func idsOfRejected(payload: String?, order: Identifier?, cancellation: Identifier?, adjustment: Identifier?) {
        let fields = payload.map { [StreamEntry.Field(name: Array("payload".utf8), value: Array($0.utf8))] } ?? []
        let entry = StreamEntry(id: "1-1", fields: fields)
        #expect(
            MessageDecoder.remains(of: entry, invalidBy: .invalidJSON).ids
                == [.placeOrder: order, .cancel: cancellation, .adjust: adjustment])
    }

    @Test(
        "Faults of the entry are reported before those of its payload",
        arguments: [
            (nil, nil, .missingType, "the entry has no field type"),
            ("order.teleported", nil, .missingPayload, "the entry has no field payload"),
            (
                "order.teleported", String(repeating: " ", count: 1_048_577), .payloadTooLarge,
                "payload: has 1048577 bytes; at most 1048576 are allowed"
            ),
            ("order.teleported", "{", .unknownType, "type: \"order.teleported\" is not a type this version knows"),
            ("", "{}", .unknownType, "type: \"\" is not a type this version knows"),
            (
                "checkout.completed ", "{}", .unknownType,
                #"type: "checkout.completed " is not a type this version knows; did you mean "checkout.completed"?"#
            ),
            (
                "order.canceled", "{}", .unknownType,
                #"type: "order.canceled" is not a type this version knows; did you mean "order.cancelled"?"#
            ),
            ("checkout\n", "{}", .unknownType, "type: a value of 9 bytes is not a type this version knows"),
            ("checkout.completed", "", .invalidJSON, "payload: line 1, column 1: expected a value, found the end"),
        ] as [(String?, String?, DeadLetterReason, String)])
    func entries(type: String?, payload: String?, reason: DeadLetterReason, detail: String) {
        let result = MessageDecoder.decode(
            type: type.map { ByteSlice(Array($0.utf8)) }, payload: payload.map { ByteSlice(Array($0.utf8)) })
        #expect(result == .failure(InvalidMessage(reason, detail)))
    }

    @Test("A payload of exactly the limit is accepted")
    func largestPayload() {
        let payload = SampleMessage.payload(units: "1")
        let padding = String(repeating: " ", count: Limit.payloadBytes - payload.utf8.count)
        #expect(SampleMessage.invalid(of: payload + padding) == nil)
        #expect(SampleMessage.invalid(of: payload + padding + " ")?.reason == .payloadTooLarge)
    }

    @Test("Invalid UTF-8 is reported, wherever it is")
    func invalidUTF8() {
        for tail in [[UInt8]("{ \"".utf8) + [0xFF], [0xC0, 0x80], Array("{}".utf8) + [0xE2, 0x82]] {
            let result = MessageDecoder.decode(type: SampleMessage.type, payload: ByteSlice(tail))
            guard case .failure(let invalid) = result else {
                Issue.record("accepted")
                continue
            }
            #expect(invalid.reason == .invalidUTF8)
        }
    }

    @Test(
        "Invalid JSON is reported even if a field before the fault is invalid",
        arguments: [
            "{", "{]", #"{"order_id":7"#, #"{"order_id":7,}"#, #"{"items":[{}],"a":01}"#,
            #"{"items":[{"quantity":0}]}x"#,
            #"{"order_id":"a","order_id":"b"}"#, #"{"order_id":7,"customer":{"name":"\ud800"}}"#, "[1,2", "null null",
            #"{"items":[{"quantity":1,"quantity":1}]}"#,
            #"{"order_id":7,"x":"# + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
        ])
    func invalidJSON(payload: String) {
        #expect(SampleMessage.invalid(of: payload)?.reason == .invalidJSON)
    }

    @Test(
        "The payload must be an object",
        arguments: [("null", "null"), ("[]", "an array"), ("\"{}\"", "a string"), ("1", "a number")])
    func payloadKind(payload: String, kind: String) {
        let invalid = InvalidMessage(.wrongType, "payload: must be an object, is \(kind)")
        #expect(SampleMessage.invalid(of: payload) == invalid)
    }

    @Test(
        "A missing field is named",
        arguments: [
            (#"{"items":[{"product_id":"p","quantity":1,"unit_price":0}]}"#, "order_id"),
            (#"{"order_id":null,"items":[{"product_id":"p","quantity":1,"unit_price":0}]}"#, "order_id"),
            (#"{"order_id":"o"}"#, "items"), (#"{"order_id":"o","items":null}"#, "items"),
            (#"{"order_id":"o","items":[{"quantity":1,"unit_price":0}]}"#, "items[0].product_id"),
            (#"{"order_id":"o","items":[{"product_id":"p","unit_price":0}]}"#, "items[0].quantity"),
            (#"{"order_id":"o","items":[{"product_id":"p","quantity":1}]}"#, "items[0].unit_price"),
            (#"{"order_id":"o","items":[{"product_id":"p","quantity":1,"unit_price":null}]}"#, "items[0].unit_price"),
            (
                #"{"order_id":"o","items":[{"product_id":"p","quantity":1,"unit_price":0},{}]}"#, "items[1].product_id"
            ),
        ])
    func missing(payload: String, path: String) {
        #expect(SampleMessage.invalid(of: payload) == InvalidMessage(.missingField, "\(path): missing"))
    }

    @Test(
        "Quantities are integers from 1 to a million, written as integers",
        arguments: [
            ("0", .invalidValue, "must be 1 to 1000000, is 0"), ("-0", .invalidValue, "must be 1 to 1000000, is -0"),
            ("-1", .invalidValue, "must be 1 to 1000000, is -1"),
            ("1000001", .invalidValue, "must be 1 to 1000000, is 1000001"),
            ("9223372036854775808", .invalidValue, "must be 1 to 1000000, is 9223372036854775808"),
            ("10000000000000000000000000", .invalidValue, "must be 1 to 1000000, is a number of 26 characters"),
            ("2.0", .wrongType, "must be an integer, is 2.0"), ("1.5", .wrongType, "must be an integer, is 1.5"),
            ("1e3", .wrongType, "must be an integer, is 1e3"), ("1E0", .wrongType, "must be an integer, is 1E0"),
            ("\"1\"", .wrongType, "must be an integer, is a string"),
            ("true", .wrongType, "must be an integer, is a boolean"),
            ("[1]", .wrongType, "must be an integer, is an array"),
            ("{}", .wrongType, "must be an integer, is an object"),
        ] as [(String, DeadLetterReason, String)])
    func quantities(units: String, reason: DeadLetterReason, problem: String) {
        let invalid = SampleMessage.invalid(of: SampleMessage.payload(units: units))
        #expect(invalid == InvalidMessage(reason, "items[0].quantity: \(problem)"))
    }

    @Test(
        "Prices are integers from 0 to 2^53 − 1",
        arguments: [
            ("0", nil), ("9007199254740991", nil), ("9007199254740992", .invalidValue), ("-1", .invalidValue),
            ("9223372036854775808", .invalidValue), ("0.5", .wrongType), ("\"1\"", .wrongType),
        ] as [(String, DeadLetterReason?)])
    func prices(price: String, reason: DeadLetterReason?) {
        #expect(SampleMessage.invalid(of: SampleMessage.payload(unitPrice: price))?.reason == reason)
    }

    @Test(
        "Amounts are integers within ±(2^53 − 1)",
        arguments: ["subtotal", "tax", "shipping", "total"],
        [
            ("9007199254740991", nil), ("-9007199254740991", nil), ("9007199254740992", .invalidValue),
            ("-9007199254740992", .invalidValue), ("-9223372036854775808", .invalidValue),
            ("-9223372036854775809", .invalidValue), ("1.0", .wrongType), ("\"1\"", .wrongType), ("{}", .wrongType),
        ] as [(String, DeadLetterReason?)])
    func amounts(field: String, row: (value: String, reason: DeadLetterReason?)) {
        let payload = SampleMessage.payload().dropLast() + ",\"\(field)\":\(row.value)}"
        let invalid = SampleMessage.invalid(of: String(payload))
        #expect(invalid?.reason == row.reason)
        #expect(invalid?.detail.hasPrefix("\(field): ") ?? true)
    }

    @Test("The value of all lines stays below 2^53, without overflow in between")
    func sums() {
        func item(_ units: Int64, _ price: Int64) -> String {
            #"{"product_id":"p","quantity":\#(units),"unit_price":\#(price)}"#
        }
        let limit = Limit.exactInteger
        let rows: [(items: [String], line: Int?)] = [
            ([item(1, limit)], nil), ([item(1, limit - 1), item(1, 1)], nil), ([item(1, limit), item(1, 1)], 1),
            ([item(2, limit)], 0), ([item(1_000_000, limit)], 0), ([item(1, 1), item(1_000_000, limit)], 1),
            (Array(repeating: item(1_000_000, 9_007_199_254), count: 2), 1),
        ]
        for row in rows {
            let invalid = SampleMessage.invalid(
                of: SampleMessage.payload(items: "[\(row.items.joined(separator: ","))]"))
            let expected = row.line.map {
                InvalidMessage(
                    .invalidValue, "items[\($0)]: unit_price × quantity, summed up to this line, exceeds \(limit)")
            }
            #expect(invalid == expected)
        }
    }

    @Test("An order has 1 to 2,000 items; more are rejected whatever they contain")
    func itemCounts() {
        func items(_ count: Int, _ item: String) -> String {
            SampleMessage.payload(items: "[\(Array(repeating: item, count: count).joined(separator: ","))]")
        }
        let item = #"{"product_id":"p","quantity":1,"unit_price":1}"#
        let tooMany = InvalidMessage(.tooManyItems, "items: has 2001 items; at most 2000 are allowed")
        #expect(SampleMessage.invalid(of: items(0, item)) == InvalidMessage(.invalidValue, "items: is empty"))
        #expect(SampleMessage.invalid(of: items(2_000, item)) == nil)
        #expect(SampleMessage.invalid(of: items(2_001, item)) == tooMany)
        #expect(SampleMessage.invalid(of: items(2_001, "7")) == tooMany)
        #expect(SampleMessage.invalid(of: items(2_000, "7"))?.reason == .wrongType)
    }

    @Test(
        "Items are objects in an array",
        arguments: [
            ("{}", "items: must be an array, is an object"), ("\"\"", "items: must be an array, is a string"),
            ("[null]", "items[0]: must be an object, is null"), ("[[]]", "items[0]: must be an object, is an array"),
            (
                #"[{"product_id":"p","quantity":1,"unit_price":1},"x"]"#, "items[1]: must be an object, is a string"
            ),
        ])
    func itemKinds(items: String, detail: String) {
        #expect(SampleMessage.invalid(of: SampleMessage.payload(items: items)) == InvalidMessage(.wrongType, detail))
    }
}
