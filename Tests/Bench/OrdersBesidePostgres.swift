/// Durable orders per second of one product or a hundred, one line per order, beside the transaction that shops usually
/// run for each order.
struct OrdersBesidePostgres {
    let group: RowGroup
    let products: Int

    /// The numbers of PostgreSQL clients, measured in turn.
    private static let clients = [1, 8, 32]

    func measure(in workshop: Workshop) async throws -> [Row] {
        let count = products == 1 ? workshop.scale.hotOrders : workshop.scale.hundredOrders
        workshop.progress.say("\(group.rawValue): preparing \(count) orders and PostgreSQL")
        let template = try await workshop.ledgerTemplate(Catalogue(products: products))
        let maker = OrderMaker(products: products, seed: 1)
        let backlog = try await workshop.backlog(group.rawValue, count, from: maker)
        let peer = try await PostgresPeer.start(in: workshop, products: products)
        var ours = Samples()
        var theirs = [Int: Samples]()
        var processor = ProcessorTime()
        try await workshop.rounds(of: group) { _ in
            try await workshop.restore(backlog)
            let ledger = try workshop.freshLedger(template)
            try await workshop.calmDisk()
            let consumption = try await workshop.consume(into: ledger, expecting: backlog.count)
            ours.add(Double(backlog.count) / consumption.seconds)
            processor.add(consumption)
            var said = "\(Table.number(ours.rounds.last ?? 0)) orders/s; PostgreSQL"
            for clients in Self.clients {
                try await workshop.calmDisk()
                let rate = try await peer.ordersPerSecond(clients: clients, seconds: workshop.scale.peerSeconds)
                theirs[clients, default: Samples()].add(rate)
                said += " \(Table.number(rate)) (\(clients))"
            }
            return said
        }
        try await peer.checkAllRecorded()
        await peer.stop()
        try await workshop.drop(backlog)
        return [row(ours, theirs), processor.row(of: group, "\(name), time an order")]
    }

    private var name: String { products == 1 ? "one hot product" : "\(products) products" }

    private func row(_ ours: Samples, _ theirs: [Int: Samples]) -> Row {
        let others = Self.clients.map { clients in
            Row.Side(name: "PostgreSQL, \(clients)", samples: theirs[clients] ?? Samples())
        }
        if products == 1 {
            let ratio = ours.median / (theirs[32]?.median ?? 0)
            return Row(
                group: group, figure: "\(name), orders", unit: .perSecond,
                goal: "≥ 25,000, ≥ 100 × PG 32", ours: ours, others: others, ratio: ratio,
                isReached: ratio >= 100 && ours.median >= 25_000)
        }
        let ratio = ours.median / (others.map(\.samples.median).max() ?? 0)
        return Row(
            group: group, figure: "\(name), orders", unit: .perSecond, goal: "≥ 15 × PG at its best",
            ours: ours, others: others, ratio: ratio, isReached: ratio >= 15)
    }
}
