/// A product that is sold out, against one that is not: late customers must not cost more than buyers.
struct Refusals {
    func measure(in workshop: Workshop) async throws -> [Row] {
        let count = workshop.scale.refusals
        let backlog = try await workshop.backlog("refusals", count, from: OrderMaker(products: 1, seed: 2))
        let soldOut = try await workshop.ledgerTemplate(Catalogue(products: 1, cap: 1))
        let onSale = try await workshop.ledgerTemplate(Catalogue(products: 1))
        var refusals = Samples()
        var acceptances = Samples()
        try await workshop.rounds(of: .refusals) { _ in
            for template in [soldOut, onSale] {
                try await workshop.restore(backlog)
                let ledger = try workshop.freshLedger(template)
                try await workshop.calmDisk()
                let consumption = try await workshop.consume(into: ledger, expecting: count)
                let isSoldOut = template.path == soldOut.path
                guard consumption.refused == (isSoldOut ? count - 1 : 0) else {
                    throw BenchError("measuring refusals failed: on \(ledger): \(consumption.refused) of \(count).")
                }
                let rate = Double(count) / consumption.seconds
                if isSoldOut { refusals.add(rate) } else { acceptances.add(rate) }
            }
            return "\(Table.number(refusals.rounds.last ?? 0)) refusals/s, "
                + "\(Table.number(acceptances.rounds.last ?? 0)) acceptances/s"
        }
        try await workshop.drop(backlog)
        let ratio = refusals.median / acceptances.median
        return [
            Row(
                group: .refusals, figure: "sold-out product, refusals", unit: .perSecond, goal: "≥ acceptances",
                ours: refusals, others: [.init(name: "acceptances", samples: acceptances)], ratio: ratio,
                isReached: ratio >= 1)
        ]
    }
}
