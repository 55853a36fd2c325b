/// Mutates bytes in ways that break parsers: truncated, repeated, overwritten and foreign bytes.
package enum Mutation {
    /// Fragments of JSON, and bytes that are not UTF-8.
    package static let json: [[UInt8]] =
        [
            "\"", "\\", "\\u", "\\ud800", "\\u0000", "{", "}", "[", "]", ",", ":", "null", "true", "-", "-0", "00",
            "1e999",
            "2.0", "9223372036854775808", "-9223372036854775808", "\u{0}", "\u{FEFF}", "\u{2028}", "é", "e\u{301}",
        ].map { Array($0.utf8) }
        + [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]]

    /// Fragments of Redis' protocol: every type of RESP2 and RESP3, and lengths that no sender can mean.
    package static let resp: [[UInt8]] = [
        "+", "-", ":", "$", "*", "%", "~", "#", ",", "_", "(", ">", "=", "!", "|", "\r\n", "\r", "\n", "0", "1", "9",
        "-1", "-2", "-0", "+1", "01", " 1", "\0", "$-1\r\n", "*-1\r\n", "*0\r\n", "*1\r\n", "$0\r\n\r\n", "$-2\r\n",
        "*-2\r\n", "*2147483647\r\n", "*2147483648\r\n", "*4294967295\r\n", "*4294967296\r\n",
        "*9223372036854775807\r\n", "*18446744073709551615\r\n", "$2147483647\r\n", "$4294967295\r\n",
        "$9223372036854775805\r\n", "$9223372036854775807\r\n", "$-9223372036854775808\r\n",
        "$18446744073709551617\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "_\r\n", "#t\r\n", ",inf\r\n",
        "=7\r\ntxt:abc\r\n", "!3\r\nERR\r\n", "(1\r\n", "%1\r\n", "~1\r\n", ">1\r\n", "|1\r\n", "$?\r\n", "*?\r\n",
        ";1\r\n", ".\r\n",
    ].map { Array($0.utf8) }

    /// Makes one to four random changes.
    package static func mutate(
        _ bytes: [UInt8], with fragments: [[UInt8]] = json, using generator: inout SeededGenerator
    ) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...result.count, using: &generator)
            let end = min(result.count, place + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: result.removeSubrange(place..<end)
            case 1: result.insert(contentsOf: result[place..<end], at: place)
            case 2: result.insert(contentsOf: fragments.randomElement(using: &generator) ?? [], at: place)
            case 3: result.replaceSubrange(place..<end, with: fragments.randomElement(using: &generator) ?? [])
            case 4 where place < result.count: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            default: result.removeSubrange(end...)
            }
        }
        return result
    }
}
