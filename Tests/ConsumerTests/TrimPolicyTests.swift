import Testing

@testable import Consumer
@testable import Counters

@Suite("The policy for trimming the streams")
struct TrimPolicyTests {
    private let start = ContinuousClock.now

    private func policy(age: Duration = .seconds(100)) -> TrimPolicy {
        var settings = ConsumerSettings()
        (settings.messageAge, settings.keepMessages, settings.keepOutcomes) = (age, 5_000, 70_000)
        return TrimPolicy(settings)
    }

    private func report(time: Int64, last: String) -> TrimReport {
        TrimReport(aged: 0, excess: 0, outcomes: 0, time: time, lastDelivered: last, acknowledged: "0-0")
    }

    @Test("Trims by age and number while Redis has room")
    func ordinary() {
        var policy = policy()
        policy.note(report(time: 1_000_000, last: "999000-0"), at: start)
        #expect(policy.retention(at: start + .seconds(500)) == Retention(age: .seconds(100), messages: 5_000))
        #expect(policy.keepOutcomes == 70_000)
    }

    @Test("A Redis that stays full is relieved until it has had room for a while")
    func full() {
        var policy = policy()
        func isNews(_ isFull: Bool, after seconds: Int) -> Bool {
            policy.note(isFull: isFull, at: start + .seconds(seconds))
        }
        #expect(!isNews(false, after: 0))
        #expect(!isNews(true, after: 1) && !policy.isRelieving)
        #expect(isNews(true, after: 2) && policy.isRelieving)
        #expect(!isNews(true, after: 3))
        let relief = Retention(age: .seconds(100), messages: 0, limit: 7, outcomes: 10_000)
        #expect(policy.relief(of: 7) == relief && policy.keepOutcomes == 10_000)
        #expect(!isNews(false, after: 5) && policy.isRelieving)
        // Full again before that: this is not a single refusal.
        #expect(!isNews(true, after: 10) && policy.isRelieving)
        #expect(!isNews(false, after: 11) && !isNews(false, after: 19))
        #expect(isNews(false, after: 20))
        #expect(!policy.isRelieving && policy.keepOutcomes == 70_000)
    }

    @Test("A single refusal relieves nothing: one client's reply may be using the memory")
    func singleRefusal() {
        var policy = policy()
        for second in stride(from: 0, to: 20, by: 2) {
            func isNews(_ isFull: Bool) -> Bool { policy.note(isFull: isFull, at: start + .seconds(second)) }
            #expect(!isNews(true) && !policy.isRelieving)
            #expect(!isNews(false))
            #expect(!policy.isRelieving)
        }
    }

    @Test("Ids that are ahead of the clock are as old as the time since they were seen")
    func idsAhead() {
        var policy = policy()
        func olderThan(_ seconds: Int) -> String? { policy.retention(at: start + .seconds(seconds)).olderThan }
        for second in 0..<300 {
            let now = start + .seconds(second)
            policy.note(report(time: Int64(second) * 1_000, last: "9000000000-\(second)"), at: now)
        }
        #expect(olderThan(299) == "9000000000-199")
        #expect(olderThan(310) == "9000000000-210")
        // Redis' clock has caught up: ids show their age again.
        policy.note(report(time: 9_000_000_001, last: "9000000000-900"), at: start + .seconds(301))
        #expect(olderThan(500) == nil)
    }

    @Test("Few marks of them are kept, however long messages are kept")
    func marks() {
        var policy = policy(age: .seconds(86_400))
        for second in stride(from: 0, to: 200_000, by: 10) {
            policy.note(report(time: 1, last: "9000000000-\(second)"), at: start + .seconds(second))
        }
        // Later by at most a hundredth of the age.
        let mark = policy.retention(at: start + .seconds(200_000)).olderThan
        let second = mark.flatMap { Int($0.dropFirst("9000000000-".count)) } ?? 0
        #expect(200_000 - 86_400 - 900..<200_000 - 86_399 ~= second)
    }
}
