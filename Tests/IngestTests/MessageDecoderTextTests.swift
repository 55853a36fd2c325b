import Foundation
import Ingest
import Domain
import Testing

@Suite("Decoding texts and ids")
struct MessageDecoderTextTests {
    static let ids = [
        ("order_id", #""cs_live_a1""#), ("items[0].product_id", #""Unit-8x8x8-Founder""#),
        ("items[0].variant_id", #""BLACK""#),
    ]

    static let texts = [
        ("payment_intent_id", #""pi_1""#), ("completed_at", #""2026-11-22T10:00:00Z""#), ("currency", #""usd""#),
        ("customer.id", #""c-1""#), ("customer.email", #""canary@example.com""#),
        ("customer.name", #""Canary Customer""#), ("items[0].stripe_product_id", #""prod_1""#),
        ("items[0].product_name", #""Founder Edition Cube""#), ("items[0].variant_name", #""Black""#),
        ("shipping_address.name", #""Canary Recipient""#), ("shipping_address.line1", #""1 Canary Street""#),
        ("shipping_address.line2", #""Canary Floor""#), ("shipping_address.city", #""Canaryville""#),
        ("shipping_address.state", #""CS""#), ("shipping_address.postal_code", #""CA 12345""#),
        ("shipping_address.country", #""US""#),
    ]

    /// The sample with one of its texts replaced.
    static func payload(_ text: String, _ replacement: String) -> String {
        SampleMessage.payload.replacingOccurrences(of: text, with: replacement)
    }

    @Test("Ids have 1 to 255 bytes and no control characters", arguments: ids)
    func checkIDs(path: String, text: String) {
        let rows: [(String, DeadLetterReason?, String)] = [
            ("\"\(String(repeating: "x", count: 255))\"", nil, ""),
            ("\"\(String(repeating: "é", count: 128))\"", .invalidValue, "has 256 bytes; at most 255 are allowed"),
            ("\"\"", .invalidValue, "is empty"),
            (#""a\u0000""#, .invalidValue, "contains a control character"),
            (#""a\n""#, .invalidValue, "contains a control character"),
            (#""\u0085""#, .invalidValue, "contains a control character"),
            ("7", .wrongType, "must be a string, is a number"),
            ("[]", .wrongType, "must be a string, is an array"),
        ]
        for (replacement, reason, problem) in rows {
            let invalid = SampleMessage.invalid(of: Self.payload(text, replacement))
            #expect(invalid == reason.map { InvalidMessage($0, "\(path): \(problem)") })
        }
    }

    @Test("Every text must be a string or null, and must not contain U+0000", arguments: texts)
    func checkTexts(path: String, text: String) {
        for (value, kind) in [("7", "a number"), ("[]", "an array"), ("{}", "an object"), ("true", "a boolean")] {
            #expect(
                SampleMessage.invalid(of: Self.payload(text, value))
                    == InvalidMessage(.wrongType, "\(path): must be a string, is \(kind)"))
        }
        #expect(
            SampleMessage.invalid(of: Self.payload(text, #""a\u0000b""#))
                == InvalidMessage(.invalidValue, "\(path): contains U+0000"))
        for value in ["null", "\"\"", #""\u0001\n""#] {
            #expect(SampleMessage.invalid(of: Self.payload(text, value)) == nil)
        }
    }

    @Test("The customer and the address must be objects, or null", arguments: ["customer", "shipping_address"])
    func objects(field: String) {
        for (value, kind) in [("7", "a number"), ("\"canary\"", "a string"), ("[]", "an array")] {
            let payload = String(SampleMessage.payload().dropLast() + ",\"\(field)\":\(value)}")
            #expect(
                SampleMessage.invalid(of: payload)
                    == InvalidMessage(.wrongType, "\(field): must be an object, is \(kind)"))
        }
    }
}
