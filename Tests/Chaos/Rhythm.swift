import Randomness

/// Schedules which side injects faults, and when. If everything were broken all the time, nothing would be decided and
/// nothing could go wrong: usually one or two sides are active, sometimes all of them, sometimes none.
struct Rhythm: Sendable {
    enum Side: CaseIterable {
        case consumers, redis, network, ledger, people
    }

    private var periods: [(end: ContinuousClock.Instant, sides: Set<Side>)] = []

    init(duration: Duration, using generator: inout SeededGenerator) {
        let end = ContinuousClock.now + duration
        var last = ContinuousClock.now
        while last < end {
            last = min(last + .milliseconds(Int.random(in: 800...3_000, using: &generator)), end)
            let number =
                switch Int.random(in: 0..<100, using: &generator) {
                case 0..<10: 0
                case 10..<55: 1
                case 55..<85: 2
                default: Side.allCases.count
                }
            periods.append((last, Set(Side.allCases.shuffled(using: &generator).prefix(number))))
        }
    }

    var end: ContinuousClock.Instant { periods.last?.end ?? .now }

    /// Waits for this side's turn.
    /// - Returns: False when the run is over.
    func turn(of side: Side) async throws -> Bool {
        while true {
            let now = ContinuousClock.now
            guard let period = periods.first(where: { $0.end > now }) else { return false }
            if period.sides.contains(side) { return true }
            try await ContinuousClock().sleep(until: period.end)
        }
    }
}
