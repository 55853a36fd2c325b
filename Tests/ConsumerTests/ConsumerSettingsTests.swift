import Foundation
import StrictJSON
import Testing

@testable import Consumer

@Suite("The consumer's settings")
struct ConsumerSettingsTests {
    @Test("have the defaults that the shipped file lists")
    func shipped() throws {
        let text = try Data(contentsOf: URL(filePath: "config/stocktake.json"))
        guard case .object(let shipped) = try JSONValue.parse(Array(text)) else {
            Issue.record("the shipped file is no object")
            return
        }
        let settings = ConsumerSettings()
        #expect(shipped["batch_orders"] == .number(JSONNumber(Int64(settings.batchOrders))))
        #expect(shipped["keep_messages_s"] == .number(JSONNumber(Int64(settings.messageAge / .seconds(1)))))
        #expect(shipped["keep_messages"] == .number(JSONNumber(Int64(settings.keepMessages))))
        #expect(shipped["dead_letter_bytes"] == .number(JSONNumber(Int64(settings.deadLetterBytes))))
        #expect(shipped["keep_outcomes"] == .number(JSONNumber(Int64(settings.keepOutcomes))))
        // Otherwise the limit of orders could never be reached.
        #expect(settings.batchLines >= settings.batchOrders)
    }
}
