/// Whether orders cost more when the ledger already holds many, for ids that rise with time and for random ones.
struct LedgerGrowth {
    private static let products = 100

    /// Orders with one kind of ids, into an empty ledger and into one that grows old.
    private struct Kind {
        var ids: OrderMaker.Ids
        var name: String
        var goal: Double
        var maker: OrderMaker
        var empty = Samples()
        var old = Samples()
    }

    func measure(in workshop: Workshop) async throws -> [Row] {
        let (count, orders) = (workshop.scale.growthOrders, workshop.scale.oldOrders)
        let template = try await workshop.ledgerTemplate(Catalogue(products: Self.products))
        let old = workshop.folder.path(of: "old.sqlite")
        workshop.progress.say("age: making a ledger of \(Table.number(Double(orders))) orders")
        try await OldLedger(path: old, orders: orders, products: Self.products).make(from: template, in: workshop)
        var kinds = [
            Kind(
                ids: .rising, name: "rising", goal: 0.75,
                maker: OrderMaker(products: Self.products, ids: .rising, seed: 7)),
            Kind(
                ids: .random, name: "random", goal: 0.4,
                maker: OrderMaker(products: Self.products, ids: .random, seed: 8)),
        ]
        try await workshop.rounds(of: .age) { _ in
            for index in kinds.indices {
                try await workshop.clearStore()
                try await workshop.publish(count, from: &kinds[index].maker)
                let backlog = try await workshop.keepBacklog("age", count: count, lines: count)
                let empty = try workshop.freshLedger(template)
                // The old ledger's orders were never announced to this Redis; how long that takes is not measured here.
                kinds[index].empty.add(
                    try await workshop.rate(count, into: empty) {
                        try await workshop.restore(backlog, announcing: empty)
                    })
                kinds[index].old.add(
                    try await workshop.rate(count, into: old) { try await workshop.restore(backlog, announcing: old) })
                try await workshop.drop(backlog)
            }
            return kinds.map {
                "\($0.name) ids \(Table.number($0.empty.rounds.last ?? 0)) and, into the old ledger, "
                    + Table.number($0.old.rounds.last ?? 0)
            }.joined(separator: "; ") + " orders/s"
        }
        try workshop.removeLedger(old)
        return kinds.map { kind in
            let ratio = kind.old.median / kind.empty.median
            return Row(
                group: .age, figure: "ledger of \(Self.short(orders)), \(kind.name) ids",
                unit: .perSecond, goal: "≥ \(kind.goal) × empty ledger", ours: kind.old,
                others: [.init(name: "empty ledger", samples: kind.empty)], ratio: ratio,
                isReached: ratio >= kind.goal)
        }
    }

    /// 5 M for 5,000,000.
    private static func short(_ orders: Int) -> String {
        orders % 1_000_000 == 0 ? "\(orders / 1_000_000) M" : Table.number(Double(orders))
    }
}
