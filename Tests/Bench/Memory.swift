/// The consumer's peak resident size with a large catalogue: whatever waits on the stream, it is read as it is needed.
struct Memory {
    /// What "independent of the backlog" lets the longer one add.
    private static let tolerance = 1.1

    func measure(in workshop: Workshop) async throws -> [Row] {
        let scale = workshop.scale
        let template = try await workshop.ledgerTemplate(Catalogue(products: scale.manyProducts))
        var short = Samples()
        try await workshop.rounds(of: .memory) { _ in
            short.add(try await peak(scale.memoryBacklogs[0], template, in: workshop))
            return "\(Table.number(short.rounds.last ?? 0)) MB with \(scale.memoryBacklogs[0]) messages waiting"
        }
        // Once: it takes long, and a peak that has a million messages to show itself differs little.
        workshop.progress.say("memory: once with \(scale.memoryBacklogs[1]) messages waiting")
        var long = Samples()
        long.add(try await peak(scale.memoryBacklogs[1], template, in: workshop))
        try await workshop.clearStore()
        let ratio = long.median / short.median
        let names = scale.memoryBacklogs.map { Table.number(Double($0)) }
        return [
            Row(
                group: .memory, figure: "peak memory, \(names[1]) waiting", unit: .megabytes,
                goal: "≤ 150 MB, ≤ \(Self.tolerance) ×", ours: long,
                others: [.init(name: "\(names[0]) waiting", samples: short)], ratio: ratio,
                isReached: max(long.median, short.median) <= 150 && ratio <= Self.tolerance,
                note: "\(scale.manyProducts) products")
        ]
    }

    private func peak(_ count: Int, _ template: LedgerTemplate, in workshop: Workshop) async throws -> Double {
        try await workshop.clearStore()
        var maker = OrderMaker(products: workshop.scale.manyProducts, seed: 3)
        try await workshop.publish(count, from: &maker)
        let ledger = try workshop.freshLedger(template)
        return Double(try await workshop.consume(into: ledger, expecting: count).peakBytes) / 1e6
    }
}
