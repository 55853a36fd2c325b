import Testing
import TextEncodings

@Suite("Encodings of bytes as text")
struct TextEncodingsTests {
    @Test("recognise the hexadecimal digits, and no other byte")
    func digits() {
        let digits = Array("0123456789abcdef".utf8)
        for byte in UInt8.min...UInt8.max {
            // Lower case, whatever the letter was; other bytes that this maps to letters or digits are excluded.
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) ? byte + 32 : byte
            #expect(byte.hexDigitValue == digits.firstIndex(of: lower).map { UInt8($0) })
        }
        #expect([0x00, 0x0f, 0xa0, 0xff].hex == "000fa0ff")
    }

    @Test(
        "decode percent-encoded text, or report that it is invalid",
        arguments: [
            ("", ""), ("plain", "plain"), ("a%20b", "a b"), ("%C3%A4%c3%a4", "ää"), ("a+b", "a+b"),
            ("%25%32%35", "%25"), ("%", nil), ("%4", nil), ("%4g", nil), ("a%%41", nil), ("% 1", nil),
        ] as [(String, String?)])
    func decode(text: String, expected: String?) {
        #expect(PercentEncoding.decode(text.utf8) == expected.map { Array($0.utf8) })
    }

    @Test("read a plus as a space only in a form")
    func plus() {
        #expect(PercentEncoding.decode("a+b%2B".utf8, plusIsSpace: true) == Array("a b+".utf8))
    }

    @Test("decode what they have encoded to the same text, whatever is kept")
    func roundTrip() {
        let bytes = Array(UInt8.min...UInt8.max)
        for isKept in [{ $0 != UInt8(ascii: "%") }, { _ in false }] as [(UInt8) -> Bool] {
            let text = PercentEncoding.encode(bytes, keeping: isKept)
            #expect(text.utf8.allSatisfy { $0 < 0x80 })
            #expect(PercentEncoding.decode(text.utf8) == bytes)
        }
        #expect(PercentEncoding.encode([0xC3, 0x0A, 0x41], keeping: { $0 == 0x41 }) == "%C3%0AA")
    }
}
