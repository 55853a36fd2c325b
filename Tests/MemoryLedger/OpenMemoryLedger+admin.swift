import Domain
import Ledger

/// The changes that the commands make.
extension OpenMemoryLedger {
    package func sync(
        _ catalogue: Catalogue, by: String?, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges {
        try write { try $0.sync(catalogue, by: by, progress: progress) }
    }

    package func changes(
        by catalogue: Catalogue, progress: (@Sendable (Int) -> Void)?
    ) async throws -> CatalogueChanges {
        try read { tables in
            var copy = tables
            var changes = try copy.sync(catalogue, by: nil, progress: progress)
            changes.version = tables.head.catalogueVersion
            return changes
        }
    }

    package func replay(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult {
        try write { tables in
            tables.resolve(choice, to: .replay, from: [.open], needsContent: true) { tables, place in
                tables.note(.replayDeadLetter, String(tables.deadLetters[place].number), by: by)
                tables.deadLetters[place].status = .replay
            }
        }
    }

    package func discard(_ choice: DeadLetterChoice, by: String?) async throws -> ResolveResult {
        try write { tables in
            let result = tables.resolve(choice, to: .discarded, from: [.open, .replayed]) { tables, place in
                tables.note(.discardDeadLetter, String(tables.deadLetters[place].number), by: by)
                tables.deadLetters[place].removeBytes()
            }
            if case .done(1..., _) = result { tables.hasErased = true }
            return result
        }
    }

    package func note(_ action: AuditEntry.Action, of subject: String, by: String?) async throws {
        try write { $0.note(action, subject, by: by) }
    }

    package func erase(_ ids: [Identifier], by: String?) async throws -> EraseResult {
        let ids = ids.uniqued
        return try write { tables in
            // Excludes the cancellations that wait for their order: they contain no customer data, and are still
            // needed.
            let letters = tables.deadLetters.indices.filter { place in
                let letter = tables.deadLetters[place]
                let waits = letter.reason == DeadLetterReason.unknownOrder.rawValue && letter.status == .open
                return !waits && letter.ids.order.map { ids.contains($0) } ?? false
            }
            let unknown = ids.filter { id in
                tables.order(id) == nil && !letters.contains { tables.deadLetters[$0].ids.order == id }
            }
            if !unknown.isEmpty { return .unknown(unknown) }
            let waiting = letters.filter { tables.deadLetters[$0].status == .replay }
            if !waiting.isEmpty { return .awaitsReplay(waiting.map { tables.deadLetters[$0].number }.sorted()) }
            for id in ids {
                tables.erasedRefunds.formUnion(tables.orderRefunds(of: id).map(\.position))
                tables.note(.eraseOrder, id.text, by: by)
            }
            let orders = ids.compactMap { tables.orderPlace($0) }
            for place in orders { tables.orders[place].erase() }
            let kept = letters.filter { tables.deadLetters[$0].status != .discarded }
            for place in kept { tables.deadLetters[place].removeBytes() }
            tables.hasErased = true
            return .erased(
                orders: orders.count, deadLetters: kept.count,
                refunds: tables.refunds.count { refund in refund.orderID.map { ids.contains($0) } ?? false })
        }
    }
}

extension MemoryTables {
    func chosen(_ choice: DeadLetterChoice) -> [Int] {
        switch choice {
        case .numbers(let numbers):
            numbers.uniqued.compactMap { number in deadLetters.firstIndex { $0.number == number } }
        case .reason(let reason):
            deadLetters.indices.filter { deadLetters[$0].reason == reason && deadLetters[$0].status == .open }
        }
    }

    fileprivate mutating func resolve(
        _ choice: DeadLetterChoice, to wanted: DeadLetterStatus, from allowed: Set<DeadLetterStatus>,
        needsContent: Bool = false, _ change: (inout MemoryTables, Int) -> Void
    ) -> ResolveResult {
        let places = chosen(choice)
        let letters = places.map { deadLetters[$0] }
        if case .numbers(let numbers) = choice {
            let unknown = numbers.uniqued.filter { number in !letters.contains { $0.number == number } }
            if !unknown.isEmpty { return .unknown(unknown) }
        }
        let refused = letters.filter { $0.status != wanted && !allowed.contains($0.status) }
        if !refused.isEmpty { return .refused(refused.map { ($0.number, $0.status) }) }
        let incomplete = letters.filter { needsContent && !$0.isWhole }
        if !incomplete.isEmpty { return .incomplete(incomplete.map(\.number)) }
        let changed = places.filter { deadLetters[$0].status != wanted }
        for place in changed { change(&self, place) }
        return .done(changed: changed.count, already: places.count - changed.count)
    }
}

extension RecordedDeadLetter {
    fileprivate mutating func removeBytes() {
        (type, payload, fields) = (nil, nil, nil)
        status = .discarded
        resolvedAt = Timestamp.now()
    }
}

extension MemoryTables.OrderRow {
    fileprivate mutating func erase() {
        paymentDigest =
            paymentDigest ?? Payment.digest(order: checkout.orderID, intentID: checkout.paymentIntentID)
        erasedAt = erasedAt ?? Timestamp.now()
        let by = checkout.by
        checkout = Checkout(
            orderID: checkout.orderID, completedAt: checkout.completedAt, currency: checkout.currency,
            subtotal: checkout.subtotal, tax: checkout.tax, shipping: checkout.shipping, total: checkout.total,
            items: checkout.items)
        checkout.by = by
    }
}
