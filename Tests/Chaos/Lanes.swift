/// Injects random faults of one kind when it is its turn.
protocol Lane: Sendable {
    mutating func run(_ rhythm: Rhythm) async throws
}

extension Lane {
    /// The lane's state after the rhythm has ended.
    fileprivate func after(_ rhythm: Rhythm) async throws -> Self {
        var lane = self
        try await lane.run(rhythm)
        return lane
    }
}

/// All lanes of random faults and of operators' actions.
struct Lanes: Sendable {
    var consumers: ConsumerFaults
    var redis: RedisFaults
    var network: NetworkFaults
    var ledger: LedgerFaults
    var people: OperatorDeeds

    /// - Parameter loses: Whether Redis may lose messages.
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
