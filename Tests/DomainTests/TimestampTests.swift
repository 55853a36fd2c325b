import Testing

@testable import Domain

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "are RFC 3339 in UTC with milliseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"),
            (1, 1, "1970-01-01T00:00:01.001Z"),
            (951_782_399, 999, "2000-02-28T23:59:59.999Z"),
            (951_782_400, 10, "2000-02-29T00:00:00.010Z"),
            (1_795_341_600, 100, "2026-11-22T10:00:00.100Z"),
            (4_102_444_799, 5, "2099-12-31T23:59:59.005Z"),
            (-1, 0, "1969-12-31T23:59:59.000Z"),
        ])
    func text(seconds: Int, milliseconds: Int, text: String) {
        #expect(Timestamp.text(seconds: seconds, milliseconds: milliseconds) == text)
    }

    @Test("of the current time have the same form")
    func now() {
        #expect(Timestamp.now().wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }
}
