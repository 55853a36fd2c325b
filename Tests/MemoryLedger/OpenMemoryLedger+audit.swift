import Concurrency
import Domain
import Ledger

/// The queries of the HTTP API, the monitor and the reconciler.
extension OpenMemoryLedger {
    package func watermark() async throws -> LedgerWatermark {
        try read { tables in
            let now = SystemClock.milliseconds()
            let due = now - LedgerWatermark.installTime.components.seconds * 1_000
            // A time later than now means that this machine's clock was set back.
            let epoch = tables.epochs.last { $0.openedAt < due || $0.openedAt > now }?.epoch
            return LedgerWatermark(epoch: tables.head.epoch, seq: tables.head.seq, dueEpoch: epoch ?? 0)
        }
    }

    package func listing() async throws -> CatalogueListing {
        try read { tables in
            CatalogueListing(
                catalogueVersion: tables.head.catalogueVersion,
                products: tables.listedProducts.map { row in
                    let product = row.product
                    return ListedProduct(
                        id: product.id, name: product.name, description: product.description,
                        longDescription: product.longDescription, category: product.category,
                        devStatus: product.devStatus, basePrice: product.basePrice,
                        requiresAssembly: product.requiresAssembly, images: product.images, specs: product.specs,
                        isActive: row.isActive,
                        variants: tables.listedVariants(of: product.id).map {
                            ListedVariant(
                                id: $0.variant.id, name: $0.variant.name, description: $0.variant.description,
                                images: $0.variant.images, specs: $0.variant.specs)
                        })
                })
        }
    }

    package func states(of names: [CounterName]) async throws -> (head: LedgerHead, states: [CounterState?]) {
        try read { tables in (tables.head, names.map { tables.state(of: $0) }) }
    }

    package func statistics() async throws -> LedgerStatistics {
        try read { tables in
            LedgerStatistics(
                head: tables.head, orders: Int64(tables.orders.count), refunds: tables.refundsDue,
                openDeadLetters: Int64(tables.deadLetters.count { $0.status == .open }),
                deadLetterBytes: Int64(
                    tables.deadLetters.reduce(0) {
                        $0 + ($1.type?.count ?? 0) + ($1.payload?.count ?? 0) + ($1.fields?.count ?? 0)
                    }),
                requestedReplays: Int64(tables.deadLetters.count { $0.status == .replay }))
        }
    }

    package func condition() async -> LedgerCondition {
        LedgerCondition(obstacle: isReplaced ? "another ledger is in its place" : nil)
    }

    package func counterNames(after last: CounterName?, limit: Int) async throws -> CounterNames {
        try read { tables in
            let names = tables.counterNames
            let start = last.map { last in
                names.firstIndex {
                    $0.level == last.level ? $0.id > last.id : last.level == .product
                } ?? names.count
            }
            return CounterNames(head: tables.head, names: Array(names[(start ?? 0)...].prefix(limit)))
        }
    }

    package func counters(_ names: [CounterName], withChangesAfter seq: Int64) async throws -> CountersAsOf {
        try read { tables in
            var later: [CounterName: [(seq: Int64, units: Int64)]] = [:]
            for change in tables.changes where change.seq > seq {
                for counter in change.sku.counters where names.contains(counter) {
                    later[counter, default: []].append((change.seq, change.units))
                }
            }
            let states = names.compactMap { name in tables.state(of: name).map { (name, $0) } }
            return CountersAsOf(
                head: tables.head, counters: Dictionary(states, uniquingKeysWith: { $1 }), later: later)
        }
    }

    package func known(_ names: [CounterName]) async throws -> Set<CounterName> {
        try read { tables in Set(names.filter { tables.balances[$0] != nil }) }
    }

    package func changes(
        of counter: CounterName, above lowest: Int64, upTo highest: Int64
    ) async throws -> [RecordedChange] {
        try read { tables in
            var found: [Int64: RecordedChange] = [:]
            for change in tables.changes
            where change.seq > lowest && change.seq <= highest && change.sku.counters.contains(counter) {
                found[change.seq, default: RecordedChange(seq: change.seq, kind: change.kind, id: change.id, units: 0)]
                    .units += change.units
            }
            return found.values.sorted { $0.seq > $1.seq }
        }
    }

    package func recount() async throws -> [Miscount] { try read(\.miscounts) }
}

extension MemoryTables {
    /// Returns the currency as the sums use it: a code of three letters, in lower case; nil for other texts.
    private static func code(_ currency: String?) -> String? {
        guard let currency, currency.utf8.count == 3, currency.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            return nil
        }
        return currency.lowercased()
    }

    var refundsDue: RefundsDue {
        var sums: [String: (count: Int64, amount: Int128)] = [:]
        for refund in refunds {
            let code = Self.code(refund.payment.currency) ?? ""
            sums[code, default: (0, 0)].count += 1
            sums[code, default: (0, 0)].amount += Int128(refund.payment.amount ?? 0)
        }
        let sorted = sums.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        return RefundsDue(
            refunds: Int64(refunds.count), unknownAmounts: Int64(refunds.count { $0.payment.amount == nil }),
            sums: sorted.prefix(RefundsDue.maximumSums).map { code, sum in
                .init(
                    currency: code.isEmpty ? nil : code, refunds: sum.count, amount: Int64(clamping: sum.amount))
            })
    }
}
