import Ingest
import Domain
import Testing

@testable import Consumer

@Suite("The queue of entries to decide")
struct BatchQueueTests {
    private static let limits = BatchQueue.Limits(orders: 4, lines: 6, bytes: 1_000)

    /// An order with this many lines, whose entry has this many bytes.
    private static func order(_ id: Int, lines: Int = 1, bytes: Int = 10) -> ReadEntry {
        let checkout = Checkout(
            orderID: Identifier("o\(id)"),
            items: (0..<lines).map { .init(productID: Identifier("p\($0)"), units: 1, unitPrice: 0) })
        return .decoded(DecodedEntry(entry: entry(id, bytes), command: .success(.placeOrder(Order(checkout)))))
    }

    private static func poisonous(_ id: Int) -> ReadEntry { .poison(entry(id, 10)) }

    private static func entry(_ id: Int, _ bytes: Int) -> StreamEntry {
        StreamEntry(id: "\(id)-0", fields: [.init(name: [], value: Array(repeating: 0, count: bytes))])
    }

    private static func queue(_ entries: ReadEntry...) -> BatchQueue {
        var queue = BatchQueue(limits)
        queue.append(entries)
        return queue
    }

    private func ids(_ front: [DecodedEntry]) -> [String] { front.map(\.entry.id) }

    @Test("updates its totals when entries are taken and when they are put back")
    func counted() {
        var queue = Self.queue(Self.order(1), Self.order(2, bytes: 30))
        #expect(queue.count == 2 && queue.bytes == 40)
        queue.removeFirst(1)
        #expect(queue.count == 1 && queue.bytes == 30)
        queue.putBack([Self.poisonous(0), Self.order(1)])
        #expect(queue.count == 3 && queue.bytes == 50)
        queue.removeFirst(3)
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test("takes a batch from its front, within the limits, but at least one entry")
    func front() {
        let five = Self.queue(Self.order(1), Self.order(2), Self.order(3), Self.order(4), Self.order(5))
        #expect(ids(five.peekBatch()) == ["1-0", "2-0", "3-0", "4-0"])
        #expect(ids(Self.queue(Self.order(1, lines: 4), Self.order(2, lines: 3)).peekBatch()) == ["1-0"])
        #expect(ids(Self.queue(Self.order(1, bytes: 600), Self.order(2, bytes: 401)).peekBatch()) == ["1-0"])
        #expect(ids(Self.queue(Self.order(1, lines: 7, bytes: 2_000), Self.order(2)).peekBatch()) == ["1-0"])
    }

    @Test("takes the entries before a poison message, and then that message alone")
    func poison() {
        var queue = Self.queue(Self.order(1), Self.poisonous(2), Self.order(3))
        #expect(queue.poison == nil && ids(queue.peekBatch()) == ["1-0"])
        queue.removeFirst(1)
        #expect(queue.poison?.id == "2-0" && queue.peekBatch().isEmpty)
        queue.removeFirst(1)
        #expect(queue.poison == nil && ids(queue.peekBatch()) == ["3-0"])
    }
}
