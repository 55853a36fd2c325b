import Domain
import Ledger

/// The queries of the commands.
extension OpenMemoryLedger {
    package func stock() async throws -> StockSnapshot {
        try read { tables in
            func state(_ counter: CounterName) -> CounterState {
                tables.state(of: counter) ?? CounterState(sold: nil, cap: nil, isActive: false)
            }
            return StockSnapshot(
                head: tables.head,
                products: tables.listedProducts.map { row in
                    ProductStock(
                        id: row.product.id, name: row.product.name, state: state(.product(row.product.id)),
                        variants: tables.listedVariants(of: row.product.id).map {
                            .init(id: $0.variant.id, name: $0.variant.name, state: state(.variant($0.variant.id)))
                        })
                })
        }
    }

    package func refusedOrders() async throws -> [CounterName: Int] {
        try read { tables in
            tables.orders.reduce(into: [:]) { refused, order in
                if let shortage = order.decision.shortage { refused[shortage.counter, default: 0] += 1 }
            }
        }
    }

    /// Returns a page of elements that are ordered by number.
    private func page<Row, Element>(
        _ rows: [(number: Int64, row: Row)], limit: Int, after: String?, _ element: (Row) -> Element
    ) -> Page<Element> {
        let before = after.flatMap { Int64($0) }
        let rest = rows.reversed().filter { row in before.map { row.number < $0 } ?? true }
        let shown = rest.prefix(limit)
        return Page(
            elements: shown.map { element($0.row) },
            next: rest.count > limit ? shown.last.map { String($0.number) } : nil)
    }

    package func orders(status: OrderStatus?, limit: Int, after: String?) async throws -> Page<RecordedOrder> {
        try read { tables in
            var rows: [(number: Int64, row: MemoryTables.OrderRow)] = []
            for (place, order) in tables.orders.enumerated() {
                let isRefused = order.decision.seq == nil
                switch status {
                case nil: break
                case .refused: if !isRefused { continue }
                case .accepted: if isRefused || order.status != .accepted { continue }
                case .cancelled: if order.status != .cancelled { continue }
                }
                rows.append((Int64(place + 1), order))
            }
            return page(rows, limit: limit, after: after) { $0.recorded(withItems: false) }
        }
    }

    package func journal(after position: Int64, limit: Int) async throws -> [JournalEntry] {
        try read { tables in Array(tables.journal.drop { $0.position <= position }.prefix(limit)) }
    }

    package func outcomes(after place: EpochPosition, limit: Int) async throws -> [RecordedOutcome] {
        try read { tables in
            let later = tables.journal.lazy.filter {
                $0.epoch > place.epoch || $0.epoch == place.epoch && $0.position > place.position
            }
            return Array(later.compactMap { $0.recordedOutcome(ids: tables.ids(of: $0)) }.prefix(limit))
        }
    }

    package func outcomes(after position: Int64, through last: Int64, limit: Int) async throws -> JournalOutcomes {
        try read { $0.outcomes(after: position, through: last, limit: limit) }
    }

    package func orderCount() async throws -> Int { try read { $0.orders.count } }

    package func orderDetails(of id: Identifier) async throws -> OrderDetails {
        try read { tables in
            OrderDetails(
                order: tables.order(id)?.recorded(withItems: true),
                cancellations: tables.cancellations.filter { $0.cancellation.orderID == id }.map(\.recorded),
                refunds: tables.recordedRefunds(of: id),
                refundsDue: tables.refunds.filter { $0.orderID == id }.sorted { $0.number < $1.number }
                    .map { tables.due($0) },
                owned: tables.owned(by: id)?.filter { $0.units > 0 } ?? [],
                deadLetters: tables.deadLetters.filter { $0.ids.order == id }.map(\.withoutBytes))
        }
    }

    package func adjustments(limit: Int, after: String?) async throws -> Page<RecordedAdjustment> {
        try read { tables in page(tables.adjustments.map { ($0.seq, $0) }, limit: limit, after: after) { $0 } }
    }

    package func adjustment(_ id: Identifier) async throws -> RecordedAdjustment? {
        try read { tables in tables.adjustments.first { $0.adjustment.adjustmentID == id } }
    }

    package func history(of order: Identifier) async throws -> OrderHistory {
        try read { tables in
            let letters = tables.deadLetters.filter { $0.ids.order == order }.map(\.number)
            let rows = tables.journal.filter { entry in
                switch entry.kind {
                case .command(.placeOrder): entry.key == order
                case .command: tables.commands[entry.position]?.command.orderID == order
                case .deadLetter: entry.number.map { letters.contains($0) } ?? false
                case .catalogue: false
                }
            }
            let audit = tables.audit.filter { entry in
                switch entry.action {
                case .eraseOrder, .showOrder: entry.subject == order.text
                case .replayDeadLetter, .discardDeadLetter, .showDeadLetter:
                    Int64(entry.subject).map { letters.contains($0) } ?? false
                case .repair, .adopt, .restore: false
                }
            }
            return OrderHistory(rows: rows, audit: audit)
        }
    }

    package func stockHistory(
        of counter: CounterName, listingOrders: Bool, limit: Int, after: String?
    ) async throws -> Page<StockEvent> {
        try read { tables in
            let end = after.flatMap { Int64($0) } ?? .max
            let rows = tables.stockEvents(of: counter).filter { $0.position < end }
            let counted = rows.filter { listingOrders || $0.kind != .order }
            let start = counted.count <= limit ? 0 : counted[limit - 1].position
            var shown: [StockEvent] = []
            for event in rows where event.position >= start {
                guard !listingOrders, event.kind == .order else {
                    shown.append(event)
                    continue
                }
                if shown.last?.kind == .orders {
                    shown[shown.count - 1].orders? += 1
                    shown[shown.count - 1].units? += event.units ?? 0
                } else {
                    shown.append(
                        StockEvent(
                            kind: .orders, position: event.position, orders: 1, units: event.units, at: event.at))
                }
            }
            return Page(elements: shown, next: start == 0 ? nil : String(start))
        }
    }

    package func priorDecision(of key: Command.Key) async throws -> PriorDecision? { try read { $0.decision(key) } }

    package func objection(to adjustment: Adjustment) async throws -> InvalidMessage? {
        try read { tables in
            tables.index.violation(in: adjustment) ?? adjustment.violation { tables.balances[$0] }
        }
    }

    package func deadLetters(
        reason: String?, status: DeadLetterStatus?, limit: Int, after: String?
    ) async throws -> Page<RecordedDeadLetter> {
        try read { tables in
            let rows = tables.deadLetters.filter { letter in
                (reason == nil || letter.reason == reason) && (status == nil || letter.status == status)
            }
            return page(rows.map { ($0.number, $0) }, limit: limit, after: after) { $0.withoutBytes }
        }
    }

    package func deadLetter(_ number: Int64) async throws -> RecordedDeadLetter? {
        try read { tables in tables.deadLetters.first { $0.number == number } }
    }

    package func deadLetter(ofEntry entry: String) async throws -> RecordedDeadLetter? {
        try read { tables in tables.deadLetters.last { $0.entryID == entry }?.withoutBytes }
    }

    package func count(_ choice: DeadLetterChoice) async throws -> Int { try read { $0.chosen(choice).count } }

    package func refunds(limit: Int, after: String?) async throws -> (page: Page<RefundDue>, due: RefundsDue) {
        try read { tables in
            let rows = tables.refunds.sorted { $0.number < $1.number }.map { ($0.number, $0) }
            return (page(rows, limit: limit, after: after) { tables.due($0) }, tables.refundsDue)
        }
    }

    package func catalogueChanges(
        of id: Identifier?, limit: Int, after: String?
    ) async throws -> Page<RecordedCatalogueChange> {
        try read { tables in
            let changes = tables.catalogueChanges.filter { change in id.map { change.counter.id == $0 } ?? true }
            return page(changes.map { ($0.number, $0) }, limit: limit, after: after) { $0 }
        }
    }

    package func audit(limit: Int, after: String?) async throws -> Page<AuditEntry> {
        try read { tables in page(tables.audit.map { ($0.number, $0) }, limit: limit, after: after) { $0 } }
    }

    package func repairs(limit: Int, after: String?) async throws -> Page<RecordedRepair> {
        try read { tables in page(tables.repairs.map { ($0.number, $0) }, limit: limit, after: after) { $0 } }
    }

    package func check() async throws -> LedgerCheck {
        try read { tables in
            var check = LedgerCheck()
            for kind in Command.Kind.allCases {
                check.commands[kind] = tables.journal.count { $0.kind == .command(kind) }
            }
            check.deadLetters = tables.deadLetters.count
            check.head = tables.head
            check.miscounts = tables.miscounts
            check.catalogueChanges = tables.journal.count { $0.kind == .catalogue }
            let details = tables.commands.count + tables.deadLetters.count
            check.missingRecords = tables.head.position - Int64(details + check.catalogueChanges)
            return check
        }
    }
}

extension MemoryTables.OrderRow {
    fileprivate func recorded(withItems: Bool) -> RecordedOrder {
        var checkout = checkout
        let (units, by) = (checkout.units, checkout.by)
        if !withItems {
            checkout = Checkout(
                orderID: checkout.orderID, paymentIntentID: checkout.paymentIntentID,
                completedAt: checkout.completedAt, customer: checkout.customer, currency: checkout.currency,
                subtotal: checkout.subtotal, tax: checkout.tax, shipping: checkout.shipping, total: checkout.total,
                items: [], shippingAddress: checkout.shippingAddress)
            checkout.by = by
        }
        return RecordedOrder(
            checkout: checkout, status: status, shortage: decision.shortage, seq: decision.seq, epoch: epoch,
            units: units, decidedAt: decidedAt, entryID: entryID, erasedAt: erasedAt)
    }
}

extension RecordedDeadLetter {
    /// The dead letter without the bytes of its content, but with the first bytes of the type.
    fileprivate var withoutBytes: RecordedDeadLetter {
        var letter = self
        letter.type = type.map { Array($0.prefix(64)) }
        (letter.payload, letter.fields, letter.payloadDigest) = (nil, nil, nil)
        return letter
    }
}

extension MemoryTables {
    fileprivate func recordedRefunds(of id: Identifier) -> [RecordedRefund] {
        orderRefunds(of: id).map { position, refund, decided in
            RecordedRefund(
                refund: Refund(
                    refundID: refund.refundID, orderID: id,
                    paymentIntentID: erasedRefunds.contains(position) ? nil : refund.paymentIntentID,
                    amount: refund.amount, currency: refund.currency, refundedAt: refund.refundedAt, by: refund.by),
                decidedAt: decided.decidedAt, entryID: decided.entryID)
        }
    }

    fileprivate func due(_ refund: RefundRow) -> RefundDue {
        let others = refunds.filter { $0.number != refund.number && $0.orderID != nil && $0.orderID == refund.orderID }
        return RefundDue(
            number: refund.number, orderID: refund.orderID?.text, paymentIntentID: refund.payment.intentID,
            amount: refund.payment.amount, refunded: refund.refunded, isWorkedOut: refund.payment.isWorkedOut,
            currency: refund.payment.currency, reason: refund.reason, deadLetter: refund.deadLetter,
            since: refund.since,
            isToBeChecked: refund.reason == DeadLetterReason.orderConflict.rawValue
                || refund.intent.isEmpty && !others.isEmpty,
            isCancelled: refund.order != nil
                && cancellations.contains { $0.cancellation.orderID == refund.order })
    }
}

extension MemoryTables {
    /// Returns the events of a counter with every order separately, latest first.
    fileprivate func stockEvents(of counter: CounterName) -> [StockEvent] {
        func isOf(_ sku: SKU) -> Bool { sku.counters.contains(counter) }
        var events: [StockEvent] = []
        for entry in journal {
            guard let command = commands[entry.position]?.command else { continue }
            func add(_ kind: StockEvent.Kind, _ units: Int64, _ detail: String?) {
                events.append(
                    StockEvent(
                        kind: kind, position: entry.position, id: entry.key.text, units: units, at: entry.decidedAt,
                        by: entry.by, detail: detail))
            }
            switch command {
            case .placeOrder(let order):
                let units = order.checkout.lines.filter { isOf($0.sku) }.reduce(0) { $0 + $1.units }
                if entry.seq != nil, units > 0 { add(.order, units, nil) }
            case .cancel(let cancellation):
                let items = cancellations.first { $0.recorded.id == entry.key }?.recorded.items ?? []
                let own = items.filter { isOf($0.sku) }
                if !own.isEmpty { add(.cancellation, -own.reduce(0) { $0 + $1.givenBack }, cancellation.orderID.text) }
            case .adjust(let adjustment):
                if isOf(adjustment.sku) { add(.adjustment, adjustment.units, adjustment.reason) }
            case .refund: break
            }
        }
        for change in catalogueChanges where change.counter == counter {
            events.append(
                StockEvent(
                    kind: .catalogue, position: change.place.position, id: String(change.version), at: change.changedAt,
                    by: change.by, detail: change.column?.column ?? change.kind.rawValue,
                    before: change.column?.before.text, after: change.column?.after.text))
        }
        for repair in repairs where repair.repair.level == counter.level && repair.repair.id == counter.id.text {
            guard let epoch = epochs.first(where: { $0.epoch == repair.epoch }) else { continue }
            events.append(
                StockEvent(
                    kind: .repair, position: epoch.position, id: String(repair.epoch), at: repair.repairedAt,
                    detail: repair.repair.place.rawValue, before: repair.repair.found.map { String($0) },
                    after: repair.repair.expected.map { String($0) }))
        }
        return events.enumerated().sorted {
            let (one, other) = ($0.element, $1.element)
            let (rank, otherRank) = (one.kind == .repair ? 1 : 0, other.kind == .repair ? 1 : 0)
            return (other.position, otherRank, other.at, $0.offset) < (one.position, rank, one.at, $1.offset)
        }.map(\.element)
    }
}

extension ColumnChange.Value {
    fileprivate var text: String? {
        switch self {
        case .none: nil
        case .integer(let number): String(number)
        case .text(let text): text
        }
    }
}
