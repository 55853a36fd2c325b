/// Rows that are measured together, by the name that `--only` takes.
enum RowGroup: String, Sendable, CaseIterable, Encodable {
    case hot, hundred, stages, real, refusals, steady, catalogue, age, memory, epoch, http, events

    var about: String {
        switch self {
        case .hot: "orders of one hot product, beside PostgreSQL"
        case .hundred: "orders of a hundred products, beside PostgreSQL"
        case .stages: "the pipeline against its stages alone, and one message at a time"
        case .real: "orders of a real shop"
        case .refusals: "a sold-out product: refusals against acceptances"
        case .steady: "publish to outcome at 2,000 orders/s"
        case .catalogue: "10 to 100,000 products"
        case .age: "a ledger of 5,000,000 orders against an empty one"
        case .memory: "the consumer's peak, 10,000 and 1,000,000 messages waiting"
        case .epoch: "a start with 100,000 products"
        case .http: "reads of one product over HTTP, beside webdis"
        case .events: "live availability for 1,000 subscribers"
        }
    }

    /// Seconds that it takes on two cores, in a full run and in a quick one: earlier groups reserve this time for it.
    var expected: (full: Int, quick: Int) {
        switch self {
        case .hot: (130, 11)
        case .hundred: (49, 10)
        case .stages: (49, 6)
        case .real: (34, 4)
        case .refusals: (22, 3)
        case .steady: (33, 9)
        case .catalogue: (43, 7)
        case .age: (98, 8)
        case .memory: (58, 9)
        case .epoch: (17, 1)
        case .http: (41, 8)
        case .events: (21, 4)
        }
    }

    /// The programs it needs in addition to Redis and our own.
    var needs: [ForeignProgram] {
        switch self {
        case .hot, .hundred: [.postgres]
        case .http: [.webdis, .wrk]
        default: []
        }
    }

    /// - Returns: The rows, or none if an input that only this group needs is missing (which it reports).
    func measure(in workshop: Workshop) async throws -> [Row] {
        switch self {
        case .hot: try await OrdersBesidePostgres(group: self, products: 1).measure(in: workshop)
        case .hundred: try await OrdersBesidePostgres(group: self, products: 100).measure(in: workshop)
        case .stages: try await StagesAlone().measure(in: workshop)
        case .real: try await RealOrders().measure(in: workshop)
        case .refusals: try await Refusals().measure(in: workshop)
        case .steady: try await SteadyLatency().measure(in: workshop)
        case .catalogue: try await CatalogueGrowth().measure(in: workshop)
        case .age: try await LedgerGrowth().measure(in: workshop)
        case .memory: try await Memory().measure(in: workshop)
        case .epoch: try await EpochOpening().measure(in: workshop)
        case .http: try await HTTPReads().measure(in: workshop)
        case .events: try await Events().measure(in: workshop)
        }
    }
}
