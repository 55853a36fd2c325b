import Testing

@testable import Consumer
@testable import Counters

@Suite("How the streams are trimmed")
struct StreamTrimmingTests {
    private let start = ContinuousClock.now

    private func trimming(age: Duration = .seconds(100)) -> StreamTrimming {
        var settings = ConsumerSettings()
        (settings.messageAge, settings.keepMessages, settings.keepOutcomes) = (age, 5_000, 70_000)
        return StreamTrimming(settings)
    }

    private func report(time: Int64, last: String) -> TrimReport {
        TrimReport(messages: 0, outcomes: 0, time: time, lastDelivered: last, bound: "0-0")
    }

    @Test("By age and number, while Redis has room")
    func ordinary() {
        var trimming = trimming()
        trimming.note(report(time: 1_000_000, last: "999000-0"), at: start)
        #expect(trimming.retention(at: start + .seconds(500)) == Retention(age: .seconds(100), messages: 5_000))
        #expect(trimming.keepOutcomes == 70_000)
    }

    @Test("A full Redis keeps nothing that is acknowledged, until it has had room for a while")
    func full() {
        var trimming = trimming()
        func isNews(_ isFull: Bool, after seconds: Int) -> Bool {
            trimming.note(isFull: isFull, at: start + .seconds(seconds))
        }
        #expect(!isNews(false, after: 0))
        #expect(isNews(true, after: 0))
        #expect(!isNews(true, after: 1))
        let nothing = Retention(age: .zero, messages: 0, outcomes: 10_000)
        #expect(trimming.retention(at: start) == nothing)
        #expect(trimming.keepOutcomes == 10_000)
        #expect(!isNews(false, after: 5))
        #expect(trimming.retention(at: start + .seconds(5)) == nothing)
        #expect(isNews(false, after: 11))
        #expect(!trimming.isRelieving && trimming.keepOutcomes == 70_000)
    }

    @Test("Ids that are ahead of the clock are as old as the time since they were seen")
    func idsAhead() {
        var trimming = trimming()
        func olderThan(_ seconds: Int) -> String? { trimming.retention(at: start + .seconds(seconds)).olderThan }
        for second in 0..<300 {
            let now = start + .seconds(second)
            trimming.note(report(time: Int64(second) * 1_000, last: "9000000000-\(second)"), at: now)
        }
        #expect(olderThan(299) == "9000000000-199")
        #expect(olderThan(310) == "9000000000-210")
        // Redis' clock has caught up: ids say their age again.
        trimming.note(report(time: 9_000_000_001, last: "9000000000-900"), at: start + .seconds(301))
        #expect(olderThan(500) == nil)
    }

    @Test("Few of them are remembered, however long a message is kept")
    func marks() {
        var trimming = trimming(age: .seconds(86_400))
        for second in stride(from: 0, to: 200_000, by: 10) {
            trimming.note(report(time: 1, last: "9000000000-\(second)"), at: start + .seconds(second))
        }
        // A hundredth of the age later at most.
        let mark = trimming.retention(at: start + .seconds(200_000)).olderThan
        let second = mark.flatMap { Int($0.dropFirst("9000000000-".count)) } ?? 0
        #expect(200_000 - 86_400 - 900..<200_000 - 86_399 ~= second)
    }
}
