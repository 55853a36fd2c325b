/// The consumer's peak resident size with a large catalogue: messages that wait on the stream are read only as needed.
/// Counters and ledger are compared once per second in the meantime, which takes memory, too; the default is every
/// thirty seconds, which a short measurement would miss.
struct Memory {
    /// The growth that "independent of the backlog" allows for the longer one.
    private static let tolerance = 1.1

    func measure(in workshop: Workshop) async throws -> [Row] {
        let scale = workshop.scale
        let template = try await workshop.ledgerTemplate(Catalogue(products: scale.manyProducts))
        let limits = scale.memorySeconds.map { Duration.seconds($0) }
        var few = Samples()
        try await workshop.rounds(of: .memory) { _ in
            few.add(
                Double(try await consume(scale.memoryBacklogs[0], template, limits[0], in: workshop).peakBytes) / 1e6)
            return "\(Table.number(few.rounds.last ?? 0)) MB with \(scale.memoryBacklogs[0]) messages waiting"
        }
        // Once: it takes long.
        workshop.progress.say("memory: once with \(scale.memoryBacklogs[1]) messages waiting")
        var many = Samples()
        let consumption = try await consume(scale.memoryBacklogs[1], template, limits[1], in: workshop)
        many.add(Double(consumption.peakBytes) / 1e6)
        try await workshop.clearStore()
        let ratio = many.median / few.median
        let names = scale.memoryBacklogs.map { Table.number(Double($0)) }
        return [
            Row(
                group: .memory, figure: "memory, \(names[1]) waiting", unit: .megabytes,
                goal: "≤ 150 MB, ≤ \(Self.tolerance) ×", ours: many,
                others: [.init(name: "\(names[0]) waiting", samples: few)], ratio: ratio,
                isReached: max(many.most, few.most) <= 150 && ratio <= Self.tolerance,
                note: "\(Table.number(Double(scale.manyProducts))) products; of \(names[1]), "
                    + "\(Table.number(Double(consumption.orders))) were consumed in \(scale.memorySeconds[1]) s")
        ]
    }

    private func consume(
        _ count: Int, _ template: LedgerTemplate, _ limit: Duration, in workshop: Workshop
    ) async throws -> Consumption {
        try await workshop.clearStore()
        var maker = OrderMaker(products: workshop.scale.manyProducts, seed: 3)
        try await workshop.publish(count, from: &maker)
        let ledger = try workshop.freshLedger(template)
        return try await workshop.consume(into: ledger, within: limit, ["--reconcile-interval-s", "1"])
    }
}
