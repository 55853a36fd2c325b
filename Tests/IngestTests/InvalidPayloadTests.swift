import Domain
import Testing

@testable import Ingest

@Suite("Of a checkout that became a dead letter")
struct InvalidPayloadTests {
    private func payment(
        _ payload: [UInt8], type: String? = "checkout.completed", _ reason: DeadLetterReason = .invalidJSON
    ) -> Payment? {
        var fields = [StreamEntry.Field(name: Array("payload".utf8), value: payload)]
        if let type { fields.append(.init(name: Array("type".utf8), value: Array(type.utf8))) }
        return MessageDecoder.remains(of: StreamEntry(id: "1-1", fields: fields), invalidBy: reason).payment
    }

    private func payment(_ payload: String) -> Payment? { payment(Array(payload.utf8)) }

    private static let head = #"{"order_id":"o","payment_intent_id":"pi","currency":"usd""#
    private static func known(_ amount: Int64?, isWorkedOut: Bool = false) -> Payment {
        Payment(orderID: "o", intentID: "pi", amount: amount, isWorkedOut: isWorkedOut, currency: "usd")
    }

    /// The bytes after the head, and the payment read from them.
    private static let payloads: [(String, Payment)] = [
        (#","total":199,"items":[]}"#, known(199)), (#","total":0}"#, known(0)), (#","total":-5}"#, known(-5)),
        (#","items":[{"quantity":2,"unit_price":50},{"quantity":1,"unit_price":7}]}"#, known(107, isWorkedOut: true)),
        (#","total":null,"items":[{"quantity":2,"unit_price":50}]}"#, known(100, isWorkedOut: true)),
        // Amounts are integers: nothing is converted.
        (#","total":"199"}"#, known(nil)), (#","total":1.99}"#, known(nil)),
        (#","total":9007199254740992}"#, known(nil)),
        (#","total":"199","items":[{"quantity":2,"unit_price":50}]}"#, known(100, isWorkedOut: true)),
        (#","items":[{"quantity":"2","unit_price":50}]}"#, known(nil)), (#","items":[{"quantity":2}]}"#, known(nil)),
        (#","items":[{"quantity":2,"unit_price":50},7]}"#, known(nil)), (#","items":[]}"#, known(nil)),
        (#","items":{}}"#, known(nil)), (#","items":[{"quantity":-2,"unit_price":50}]}"#, known(nil)),
        // Checked arithmetic.
        (#","items":[{"quantity":9007199254740991,"unit_price":9007199254740991}]}"#, known(nil)),
        (
            #","items":[{"quantity":1,"unit_price":9007199254740991},{"quantity":1,"unit_price":1}]}"#, known(nil)
        ),
        // Fields before the end of a truncated text were read; a truncated list yields nothing.
        (#","total":199,"items":[{"quantity":2,"#, known(199)),
        (#","items":[{"quantity":2,"unit_price":50},"#, known(nil)),
        (#","total":199} and more"#, known(199)), (#","customer":{"name":"}"#, known(nil)),
        // Of two values neither is known to be right.
        (#","total":199,"total":5}"#, known(nil)), (#","total":199,"total":5,"total":6}"#, known(nil)),
        (#","order_id":"p","total":1}"#, Payment(intentID: "pi", amount: 1, currency: "usd")),
    ]

    @Test("the payment is read as far as it can be, and nothing else", arguments: payloads.indices)
    func read(_ index: Int) {
        let (rest, expected) = Self.payloads[index]
        #expect(payment(Self.head + rest) == expected)
    }

    @Test("texts are read like ids: none that is long, none with control characters")
    func texts() {
        let long = String(repeating: "x", count: 256)
        #expect(
            payment(#"{"order_id":"\#(long)","payment_intent_id":"a\u0007","currency":7,"total":1}"#)
                == Payment(amount: 1))
        #expect(payment(#"{"order_id":"","payment_intent_id":null,"total":1}"#) == Payment(amount: 1))
    }

    @Test("a byte order mark, and bytes that are not UTF-8, hide only themselves")
    func encodings() {
        #expect(payment([0xEF, 0xBB, 0xBF] + Array((Self.head + #","total":3}"#).utf8)) == Self.known(3))
        let latin = Array((Self.head + #","customer":{"name":""#).utf8) + [0xE9] + Array(#""},"total":4}"#.utf8)
        #expect(payment(latin, .invalidUTF8) == Self.known(4))
        let id = Array(#"{"order_id":""#.utf8) + [0xE9] + Array(#"","total":4}"#.utf8)
        #expect(payment(id, .invalidUTF8) == Payment(amount: 4))
    }

    @Test("an unreadable payload yields nothing; one too large is read up to the size of a message")
    func unreadable() {
        for payload in ["", "null", "[]", "7", "{", "nonsense"] { #expect(payment(payload) == Payment(), "\(payload)") }
        let large = Self.head + #","total":3,"notes":""# + String(repeating: "x", count: 2 << 20) + #""}"#
        #expect(payment(Array(large.utf8), .payloadTooLarge) == Self.known(3))
        let only = StreamEntry(
            id: "1-1", fields: [.init(name: Array("type".utf8), value: Array("checkout.completed".utf8))])
        #expect(MessageDecoder.remains(of: only, invalidBy: .missingPayload).payment == Payment())
    }

    @Test("a payload that crashed the process is not decoded again, and other types have no payment")
    func others() {
        let payload = Array((Self.head + #","total":3}"#).utf8)
        #expect(payment(payload, .crashedConsumer) == Payment())
        for type in ["checkout.complete", "order.cancelled", "stock.adjusted", "", nil] {
            #expect(payment(payload, type: type) == nil)
        }
        let unread = StreamEntry(id: "1-1", unreadBecause: "too large")
        #expect(MessageDecoder.remains(of: unread, invalidBy: .entryNotRead).payment == nil)
    }
}
