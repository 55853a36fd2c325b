import Testing

@testable import Domain

@Suite("Text slices")
struct TextSlicesTests {
    private static let message = Array("red, green, ö".utf8)

    @Test("are found by their numbers, whether they are in the message or were added")
    func found() {
        var texts = TextSlices(in: Self.message, capacity: 2)
        texts.set(4, to: 5..<10)
        texts.set(0, to: 12..<14)
        texts.set(2, to: "added".utf8)
        texts.set(3, to: 0..<0)
        texts.set(1, to: nil as [UInt8]?)
        #expect((0..<6).map { texts[$0] } == ["ö", nil, "added", "", "green", nil])
        #expect(
            (0..<6).map { texts.withBytes($0) { $0.map(Array.init) } }
                == [Array("ö".utf8), nil, Array("added".utf8), [], Array("green".utf8), nil])
    }

    @Test("are equal if their bytes are, wherever they are stored")
    func equal() {
        var here = TextSlices(in: Self.message, capacity: 1)
        here.set(0, to: 0..<3)
        var there = TextSlices(capacity: 0)
        there.set(0, to: "red".utf8)
        #expect(here == there)
        there.set(1, to: "".utf8)
        #expect(here != there)
        here.set(1, to: 3..<3)
        #expect(here == there)
        // One letter with an accent, and a letter followed by an accent: `String` considers them equal.
        here.set(2, to: "\u{E9}".utf8)
        there.set(2, to: "e\u{301}".utf8)
        #expect(here != there)
    }
}
