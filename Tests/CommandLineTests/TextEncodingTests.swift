import Testing

@testable import stocktake

@Suite struct TextEncodingTests {
    @Test(
        "recognises a byte order mark and other encodings by the first bytes of a file of JSON",
        arguments: [
            (Array("{}".utf8), "{}"), ([], ""),
            ([0xEF, 0xBB, 0xBF] + Array("[1]".utf8), "[1]"),
            // Part of a mark is text, if only invalid JSON.
            ([0xEF, 0xBB], "\u{FFFD}"),
            // UTF-16 and UTF-32 with a mark.
            ([0xFF, 0xFE, 0x7B, 0x00], nil), ([0xFE, 0xFF, 0x00, 0x7B], nil), ([0xFF, 0xFE, 0x00, 0x00], nil),
            // And without one: "{}", a quote and a character beyond ASCII.
            ([0x7B, 0x00, 0x7D, 0x00], nil), ([0x00, 0x7B, 0x00, 0x7D], nil), ([0x7B, 0x00, 0x00, 0x00], nil),
            ([0x00, 0x00, 0x00, 0x7B], nil), ([0x22, 0x00, 0x3A, 0x04], nil),
        ] as [([UInt8], String?)])
    func start(bytes: [UInt8], expected: String?) {
        #expect(TextEncoding.text(of: bytes).map { String(decoding: $0, as: UTF8.self) } == expected)
    }
}
