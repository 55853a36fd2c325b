import Ingest
import Domain
import Randomness
import StrictJSON
import Testing

@Suite("Random messages")
struct MessageFuzzTests {
    /// Valid payloads with every field; a new type of message needs a line here and a folder in the corpus. Customer
    /// data fields contain one of `SampleMessage.canaries`.
    static let samples: [(type: String, payload: String)] = [
        ("checkout.completed", SampleMessage.payload), ("order.cancelled", SampleMessage.cancellation),
        ("stock.adjusted", SampleMessage.adjustment), ("order.refunded", SampleMessage.refund),
    ]

    @Test("Damaged payloads never crash; accepted messages obey the rules", arguments: samples)
    func damagedBytes(type: String, payload: String) throws {
        try Fuzzing.cases(2_000, of: "damaged \(type)") {
            Mutation.mutate(Array(payload.utf8), using: &$0)
        } check: { sample, _ in
            check(type: type, sample.bytes, "\(sample)")
        }
    }

    @Test("Valid JSON payloads with misplaced values are judged by the rules", arguments: samples)
    func damagedValues(type: String, payload: String) throws {
        let value = JSONMutation.literal(payload)
        try Fuzzing.cases(2_000, of: "\(type) with damaged values") {
            JSONMutation.mutate(value, using: &$0)
        } check: { sample, _ in
            check(type: type, sample.bytes, "\(sample)")
        }
    }

    @Test("The corpus is judged as its folders say", arguments: try Corpus.cases())
    func corpus(_ sample: Corpus) throws {
        let type = try #require(sample.folders.first)
        try #require(Self.samples.contains { $0.type == type })
        let isAccepted = check(type: type, sample.bytes, "\(sample)")
        #expect(sample.folders.last == (isAccepted ? "accepted" : "refused"))
    }

    /// Decodes a payload and checks the properties that hold for every payload.
    /// - Returns: Whether the payload was accepted.
    @discardableResult
    private func check(type: String, _ payload: [UInt8], _ comment: @autoclosure () -> Comment) -> Bool {
        let type = ByteSlice(Array(type.utf8))
        let decoded = MessageDecoder.decode(type: type, payload: ByteSlice(payload))
        // The result does not depend on the surrounding bytes.
        let before = Array("{\"é".utf8)
        let among = ByteSlice(
            before + payload + [0x80, 0x22], at: before.count..<before.count + payload.count)
        #expect(MessageDecoder.decode(type: type, payload: among) == decoded, comment())
        // The payload's formatting is irrelevant: without blanks and escapes it is the same message.
        if let value = try? JSONValue.parse(payload) {
            #expect(
                MessageDecoder.decode(type: type, payload: ByteSlice(Array(value.text.utf8))) == decoded, comment())
        }
        switch decoded {
        case .success(let message):
            #expect(MessageRules.violations(of: message) == [], comment())
            return true
        case .failure(let invalid):
            let detail = invalid.detail.lowercased()
            #expect(!detail.isEmpty, comment())
            #expect(!SampleMessage.canaries.contains { detail.contains($0) }, "\(detail); \(comment())")
            return false
        }
    }

    @Test("Misplaced customer data does not appear in details")
    func misplacedCustomerData() {
        let canary = "\"Canary Street 12345\""
        let texts = MessageDecoderTextTests.texts.map(\.1) + MessageDecoderTextTests.ids.map(\.1)
        let numbers = ["199000", "100,", "\"quantity\": 2", "99500"]
        let wholes = ["{\"id\"", "[{\"product_id\"", "{\"name\""]
        var payloads = texts.map { MessageDecoderTextTests.payload($0, "{\(canary):\(canary)}") }
        payloads += texts.map { MessageDecoderTextTests.payload($0, "[\(canary)]") }
        payloads += texts.map { MessageDecoderTextTests.payload($0, "\(canary) \(canary)") }
        payloads += texts.map { MessageDecoderTextTests.payload($0, "\"\\u0000Canary\"") }
        payloads += numbers.map { MessageDecoderTextTests.payload($0, "\(canary),") }
        payloads += numbers.map { MessageDecoderTextTests.payload($0, "Canary") }
        payloads += wholes.map { MessageDecoderTextTests.payload($0, "\(canary),\(canary):\($0)") }
        payloads += [canary, "{\(canary):1,\(canary):2}", SampleMessage.payload(units: canary)]
        payloads += [SampleMessage.payload(items: "[\(canary)]"), SampleMessage.payload(items: canary)]
        var details: [String] = []
        for payload in payloads {
            if let invalid = SampleMessage.invalid(of: payload) { details.append(invalid.detail.lowercased()) }
        }
        #expect(details.count > payloads.count / 2)
        for detail in details {
            #expect(!SampleMessage.canaries.contains { detail.contains($0) }, "\(detail)")
        }
    }
}
