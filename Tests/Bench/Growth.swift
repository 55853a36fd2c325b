/// Whether orders cost more when there is more of everything: products, or orders in the ledger.
struct Growth {
    func measure(in workshop: Workshop) async throws -> [Row] {
        let byProducts = try await catalogues(in: workshop)
        return byProducts + (try await ledgers(in: workshop))
    }

    private func rate(
        _ count: Int, into ledger: String, _ prepare: () async throws -> Void, in workshop: Workshop
    ) async throws -> Double {
        try await prepare()
        try await workshop.calmDisk()
        return Double(count) / (try await workshop.consume(into: ledger, expecting: count)).seconds
    }

    // MARK: - Products

    private func catalogues(in workshop: Workshop) async throws -> [Row] {
        let sizes = [10, 1_000, workshop.scale.manyProducts]
        let count = workshop.scale.growthOrders
        workshop.progress.say("growth: preparing catalogues of \(sizes.map(String.init).joined(separator: ", "))")
        var shops: [(products: Int, template: LedgerTemplate, backlog: Backlog, samples: Samples)] = []
        for products in sizes {
            let maker = OrderMaker(products: products, seed: 6)
            shops.append(
                (
                    products, try await workshop.ledgerTemplate(Catalogue(products: products)),
                    try await workshop.backlog("growth-\(products)", count, from: maker), Samples()
                ))
        }
        try await workshop.rounds(of: .growth) { _ in
            for index in shops.indices {
                let shop = shops[index]
                let ledger = try workshop.freshLedger(shop.template)
                shops[index].samples.add(
                    try await rate(count, into: ledger, { try await workshop.restore(shop.backlog) }, in: workshop))
            }
            return shops.map { "\($0.products) products \(Table.number($0.samples.rounds.last ?? 0))" }
                .joined(separator: ", ") + " orders/s"
        }
        for shop in shops { try await workshop.drop(shop.backlog) }
        return shops.dropFirst().map { shop in
            let ratio = shop.samples.median / shops[0].samples.median
            return Row(
                group: .growth, figure: "\(Table.number(Double(shop.products))) products", unit: .ordersPerSecond,
                goal: "≥ 0.75 × 10 products", ours: shop.samples,
                others: [.init(name: "10 products", samples: shops[0].samples)], ratio: ratio,
                isReached: ratio >= 0.75)
        }
    }

    // MARK: - Orders in the ledger

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

    private func ledgers(in workshop: Workshop) async throws -> [Row] {
        let (count, orders) = (workshop.scale.growthOrders, workshop.scale.oldOrders)
        let template = try await workshop.ledgerTemplate(Catalogue(products: Self.products))
        let old = workshop.folder.path(of: "old.sqlite")
        workshop.progress.say("growth: making a ledger of \(Table.number(Double(orders))) orders")
        try await OldLedger(path: old, orders: orders, products: Self.products).make(from: template, in: workshop)
        var kinds = [
            Kind(
                ids: .rising, name: "rising", goal: 0.75,
                maker: OrderMaker(products: Self.products, ids: .rising, seed: 7)),
            Kind(
                ids: .random, name: "random", goal: 0.4,
                maker: OrderMaker(products: Self.products, ids: .random, seed: 8)),
        ]
        try await workshop.rounds(of: .growth) { _ in
            for index in kinds.indices {
                try await workshop.clearStore()
                try await workshop.publish(count, from: &kinds[index].maker)
                let backlog = try await workshop.keepBacklog("growth", count: count, lines: count)
                let restore = { try await workshop.restore(backlog) }
                let empty = try workshop.freshLedger(template)
                kinds[index].empty.add(try await rate(count, into: empty, restore, in: workshop))
                kinds[index].old.add(try await rate(count, into: old, restore, in: workshop))
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
                group: .growth, figure: "\(Table.number(Double(orders))) orders, \(kind.name) ids",
                unit: .ordersPerSecond, goal: "≥ \(kind.goal) × empty ledger", ours: kind.old,
                others: [.init(name: "empty ledger", samples: kind.empty)], ratio: ratio,
                isReached: ratio >= kind.goal)
        }
    }
}
