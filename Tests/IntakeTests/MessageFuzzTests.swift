import Intake
import Inventory
import Randomness
import Testing

@Suite("Random messages")
struct MessageFuzzTests {
    @Test("Damaged payloads never crash, and no rejection shows a customer's name, e-mail or address")
    func damagedPayloads() throws {
        var rejected = 0
        try Fuzzing.rounds(5_000, of: "damaged payloads") { (generator: inout SeededGenerator) throws in
            let payload = Mutation.mutate(Array(SampleMessage.payload.utf8), using: &generator)
            switch MessageDecoder.decode(type: SampleMessage.type, payload: payload) {
            case .success(.checkout(let checkout)):
                #expect((1...Limit.items).contains(checkout.items.count), "seed \(generator.seed)")
                #expect(checkout.items.allSatisfy { (1...Limit.quantity).contains($0.quantity) })
                #expect(Identifier.violation(in: checkout.orderID.text) == nil, "seed \(generator.seed)")
            case .success: Issue.record("a checkout became another kind of message, seed \(generator.seed)")
            case .failure(let rejection):
                rejected += 1
                let detail = rejection.detail.lowercased()
                #expect(!SampleMessage.canaries.contains { detail.contains($0) }, "seed \(generator.seed): \(detail)")
            }
        }
        #expect(rejected > 0)
    }

    @Test("A customer's data does not appear where it stands in place of something else")
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
        payloads += [canary, "{\(canary):1,\(canary):2}", SampleMessage.payload(quantity: canary)]
        payloads += [SampleMessage.payload(items: "[\(canary)]"), SampleMessage.payload(items: canary)]
        var details: [String] = []
        for payload in payloads {
            if let rejection = SampleMessage.rejection(of: payload) { details.append(rejection.detail.lowercased()) }
        }
        #expect(details.count > payloads.count / 2)
        for detail in details {
            #expect(!SampleMessage.canaries.contains { detail.contains($0) }, "\(detail)")
        }
    }
}
