import Testing

@testable import Ingest

@Suite("A stream entry")
struct StreamEntryTests {
    /// An entry whose fields are surrounded by other bytes, as in a reply.
    private static func entry(_ texts: [String]) -> StreamEntry {
        var bytes: [UInt8] = [0xFF]
        var places: [Range<Int>] = []
        for text in texts {
            places.append(bytes.count..<bytes.count + text.utf8.count)
            bytes += Array(text.utf8) + [0xFF]
        }
        return StreamEntry(id: "1-1", in: bytes, at: places)
    }

    private static func text(_ bytes: ByteSlice?) -> String? {
        bytes.map { String(decoding: $0.copy, as: UTF8.self) }
    }

    @Test(
        "has its original fields in order, wherever they are stored",
        arguments: [
            (["type", "t", "payload", "p"], "t", "p"), (["payload", "p", "type", "t"], "t", "p"),
            (["type", "", "payload", ""], "", ""), (["type", "a", "type", "b"], "a", nil),
            (["type", "t", "payload", "p", "more", "m"], "t", "p"), (["typ", "t", "payloads", "p"], nil, nil),
            (["Type", "t", "payload", "p"], nil, "p"), (["payload", "p"], nil, "p"), ([], nil, nil),
        ] as [([String], String?, String?)])
    func fields(_ texts: [String], _ type: String?, _ payload: String?) {
        let entry = Self.entry(texts)
        #expect(entry.fields.flatMap { [$0.name, $0.value] } == texts.map { Array($0.utf8) })
        #expect(Self.text(entry.type) == type)
        #expect(Self.text(entry.payload) == payload)
        #expect(entry.size == texts.reduce(0) { $0 + $1.utf8.count })
        #expect(entry.isPlain == (texts.count == 4 && texts[0] == "type" && texts[2] == "payload"))
        #expect(entry == StreamEntry(id: "1-1", fields: entry.fields))
        #expect(StreamEntry.fields(decoding: entry.encodedFields) == entry.fields)
    }

    @Test("is distinguished from another one by its id, its fields and its deliveries")
    func equality() {
        let entry = Self.entry(["type", "t", "payload", "p"])
        var again = entry
        again.deliveries = 2
        #expect(entry != again)
        #expect(entry != StreamEntry(id: "1-2", fields: entry.fields))
        #expect(entry != Self.entry(["type", "t", "payload", "q"]))
    }
}
