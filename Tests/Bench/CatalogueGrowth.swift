/// Whether orders cost more with a larger catalogue. They are spread at random over all of it.
struct CatalogueGrowth {
    func measure(in workshop: Workshop) async throws -> [Row] {
        let sizes = [10, 1_000, workshop.scale.manyProducts]
        let count = workshop.scale.growthOrders
        workshop.progress.say("catalogue: preparing catalogues of \(sizes.map(String.init).joined(separator: ", "))")
        var shops: [(products: Int, template: LedgerTemplate, backlog: Backlog, samples: Samples)] = []
        for products in sizes {
            let maker = OrderMaker(products: products, seed: 6)
            shops.append(
                (
                    products, try await workshop.ledgerTemplate(Catalogue(products: products)),
                    try await workshop.backlog("catalogue-\(products)", count, from: maker), Samples()
                ))
        }
        try await workshop.rounds(of: .catalogue) { _ in
            for index in shops.indices {
                let shop = shops[index]
                let ledger = try workshop.freshLedger(shop.template)
                shops[index].samples.add(
                    try await workshop.rate(count, into: ledger) { try await workshop.restore(shop.backlog) })
            }
            return shops.map { "\($0.products) products \(Table.number($0.samples.rounds.last ?? 0))" }
                .joined(separator: ", ") + " orders/s"
        }
        for shop in shops { try await workshop.drop(shop.backlog) }
        return shops.dropFirst().map { shop in
            let ratio = shop.samples.median / shops[0].samples.median
            return Row(
                group: .catalogue, figure: "\(Table.number(Double(shop.products))) products, orders", unit: .perSecond,
                goal: "≥ 0.75 × 10 products", ours: shop.samples,
                others: [.init(name: "10 products", samples: shops[0].samples)], ratio: ratio,
                isReached: ratio >= 0.75)
        }
    }
}
