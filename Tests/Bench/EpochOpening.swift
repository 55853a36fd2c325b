/// The cost of a start with many products: from the start of the process to the log line that reports readiness. Nearly
/// all of it is opening an epoch: the counters are read from the ledger and installed into Redis.
struct EpochOpening {
    func measure(in workshop: Workshop) async throws -> [Row] {
        let products = workshop.scale.manyProducts
        let template = try await workshop.ledgerTemplate(Catalogue(products: products))
        let few = try await workshop.ledgerTemplate(Catalogue(products: 1))
        var many = Samples()
        var least = Samples()
        try await workshop.rounds(of: .epoch) { _ in
            for template in [template, few] {
                try await workshop.clearStore()
                let ledger = try workshop.freshLedger(template)
                try await workshop.calmDisk()
                let seconds = try await workshop.consume(into: ledger, expecting: 0).startSeconds
                if template.path == few.path { least.add(seconds) } else { many.add(seconds) }
            }
            return "\(Table.number(many.rounds.last ?? 0)) s"
        }
        return [
            Row(
                group: .epoch, figure: "start with \(Table.number(Double(products))) products", unit: .seconds,
                goal: "≤ 2 s", ours: many, others: [.init(name: "with one product", samples: least)],
                isReached: many.median <= 2)
        ]
    }
}
