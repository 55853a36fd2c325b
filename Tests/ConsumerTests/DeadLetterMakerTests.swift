import Cryptography
import Ingest
import Domain
import Testing

@testable import Consumer

@Suite("The parts of an entry that a dead letter keeps")
struct DeadLetterMakerTests {
    private let maker = DeadLetterMaker(keptBytes: 100)
    private let invalid = InvalidMessage(.invalidJSON, "detail")

    private func entry(_ fields: (String, Int)...) -> StreamEntry {
        StreamEntry(
            id: "1-0",
            fields: fields.map { .init(name: Array($0.0.utf8), value: [UInt8](repeating: 120, count: $0.1)) })
    }

    @Test("Everything, up to a message's maximum size")
    func whole() {
        let largest = maker.record(
            entry(("type", 5), ("payload", Limit.payloadBytes)), invalid, ids: MessageIDs(order: "o"), at: "")
        #expect(largest.isWhole && largest.payload?.count == Limit.payloadBytes && largest.fields == nil)
        #expect(largest.payloadDigest == nil && largest.bytes == Int64(Limit.payloadBytes + 16))
        let other = maker.record(
            entry(("type", 5), ("payload", 5), ("more", 5_000)), invalid, ids: MessageIDs(), at: "")
        #expect(other.isWhole && other.fields.flatMap { StreamEntry.fields(decoding: $0) }?.count == 3)
    }

    @Test("Its ids and its payment, by decoding once; for one that crashed the process, neither")
    func remains() {
        let payload = #"{"order_id":"o","payment_intent_id":"pi","total":7,"items":"#
        let entry = StreamEntry(
            id: "1-0",
            fields: [
                .init(name: Array("type".utf8), value: Array("checkout.completed".utf8)),
                .init(name: Array("payload".utf8), value: Array(payload.utf8)),
            ])
        let record = maker.record(entry, invalid, at: "")
        #expect(record.ids == MessageIDs(order: "o"))
        #expect(record.payment == Payment(orderID: "o", intentID: "pi", amount: 7))
        let crashed = maker.record(entry, InvalidMessage(.crashedConsumer, "detail"), at: "")
        #expect(crashed.ids == MessageIDs() && crashed.payment == Payment())
    }

    @Test("The head, the length and a digest of a larger payload")
    func head() {
        let size = Limit.payloadBytes + 1
        let large = entry(("type", 5), ("payload", size))
        let record = maker.record(large, invalid, ids: MessageIDs(), at: "")
        #expect(!record.isWhole && record.payload == [UInt8](repeating: 120, count: 100) && record.type?.count == 5)
        #expect(record.bytes == Int64(size + 16))
        #expect(record.payloadDigest == SHA256.digest([UInt8](repeating: 120, count: size)))
        // The fingerprint is that of the original entry.
        #expect(record.key.fingerprint == large.fingerprint)
    }

    @Test("No more than that of an oversized type or other fields either")
    func others() {
        let type = maker.record(entry(("type", 2 << 20), ("payload", 5)), invalid, ids: MessageIDs(), at: "")
        #expect(!type.isWhole && type.type?.count == 100 && type.payload?.count == 5 && type.payloadDigest == nil)
        let fields = maker.record(
            entry(("type", 5), ("payload", 5), ("more", 3 << 20)), invalid, ids: MessageIDs(), at: "")
        #expect(!fields.isWhole && fields.fields?.count == 100 && fields.payload?.count == 5)
        // The same limit applies beside a truncated payload.
        let both = maker.record(
            entry(("type", 5), ("payload", 1_500_000), ("more", 5)), invalid, ids: MessageIDs(), at: "")
        #expect(!both.isWhole && both.fields?.count == 100 && both.payload?.count == 100)
    }

    @Test("The id of an entry that was not read")
    func unread() {
        let record = maker.record(StreamEntry(id: "7-3", unreadBecause: "why"), invalid, ids: MessageIDs(), at: "")
        #expect(!record.isWhole && record.key.entryID == "7-3" && record.bytes == 0)
        #expect(record.type == nil && record.payload == nil && record.fields == nil)
    }
}
