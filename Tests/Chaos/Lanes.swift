/// Breaks things of one kind at random, when it is its turn.
protocol Lane: Sendable {
    mutating func run(_ rhythm: Rhythm) async throws
}

extension Lane {
    /// The lane as it is when the rhythm is over.
    fileprivate func after(_ rhythm: Rhythm) async throws -> Self {
        var lane = self
        try await lane.run(rhythm)
        return lane
    }
}

/// All who break things at random, or meddle.
struct Lanes: Sendable {
    var consumers: ConsumerFaults
    var redis: RedisFaults
    var network: NetworkFaults
    var ledger: LedgerFaults
    var people: OperatorDeeds

    /// - Parameter loses: whether Redis may lose messages.
    mutating func run(_ rhythm: Rhythm, loses: Bool) async throws {
        redis.loses = loses
        let before = self
        async let consumers = before.consumers.after(rhythm)
        async let redis = before.redis.after(rhythm)
        async let network = before.network.after(rhythm)
        async let ledger = before.ledger.after(rhythm)
        async let people = before.people.after(rhythm)
        self = Lanes(
            consumers: try await consumers, redis: try await redis, network: try await network,
            ledger: try await ledger, people: try await people)
    }
}
