import Foundation

/// Compares the ledger with the expected result of processing the messages strictly one by one.
///
/// A plain model of the rules in docs/messages.md. It shares nothing with the program but those rules.
struct SequentialJudge {
    private let catalogues: [Int64: ShopCatalogue]
    /// The catalogue version of each epoch.
    private let versions: [Int64: Int64]
    /// The messages that were sent, by their bytes.
    private let sent: [[UInt8]: Message]
    /// The orders that were sent, by id: more than one if contents conflict.
    private let sentOrders: [String: [Message.Order]]
    /// The content of removed dead letters, by fingerprint.
    private let letters: [Data: [UInt8]]
    /// Entries of dead letters that an operator had republished.
    private let replayed: Set<String>

    private(set) var sold: [String: Int] = [:]
    private(set) var adjusted: [String: Int] = [:]
    private(set) var differences: [String] = []
    private var orders: [String: Message.Order] = [:]
    /// Units that an order still owns, by product and variant.
    private var owned: [String: [Message.Line: Int]] = [:]
    private var cancellations: [String: Message.CancellationContent] = [:]
    private var adjustments: [String: Message.Adjustment] = [:]
    private var refunds: [String: Message.Refund] = [:]
    /// Ids of orders that have a dead checkout, and for which a customer may therefore have paid.
    private var deadOrders: Set<String> = []
    private var seq: Int64 = 0
    /// The catalogues that may have been in force when a dead letter was recorded, which has no epoch: those of the
    /// epochs from the decision before it to the one after it. Usually this is a single one.
    private var inForce: [ShopCatalogue] = []

    init(
        messages: [Message], catalogues: [Int64: ShopCatalogue], versions: [Int64: Int64], letters: [Data: [UInt8]],
        replayed: Set<String>
    ) {
        self.letters = letters
        self.replayed = replayed
        self.catalogues = catalogues
        self.versions = versions
        sent = Dictionary(messages.map { ($0.bytes, $0) }) { first, _ in first }
        var orders: [String: [Message.Order]] = [:]
        for message in messages {
            if case .order(let order) = message.meaning { orders[order.id, default: []].append(order) }
        }
        sentOrders = orders
    }

    private mutating func differ(_ text: String) { differences.append(text) }

    /// Processes everything in the order of the stream, then compares the remaining state.
    mutating func judge(_ ledger: LedgerContents) {
        let rows = ledger.inOrder
        let epochs = Self.epochs(around: rows, last: ledger.head.epoch)
        for (row, epochs) in zip(rows, epochs) {
            switch row {
            case .order(let row): take(row)
            case .deadLetter(let row):
                inForce = Set(versions.filter { epochs.contains($0.key) }.values).compactMap { catalogues[$0] }
                take(row)
            case .cancellation(let row): take(row)
            case .adjustment(let row): take(row)
            case .refund(let row): take(row)
            }
        }
        if ledger.head.seq != seq { differ("the ledger is at seq \(ledger.head.seq) instead of \(seq)") }
        for id in ledger.figures.keys {
            let found = ledger.figures[id]
            if found?.sold != sold[id, default: 0] {
                differ("\(found.map { "\($0.sold)" } ?? "nothing") sold of \(id) instead of \(sold[id, default: 0])")
            }
            if let found, found.adjusted != adjusted[id, default: 0] {
                differ("\(found.adjusted) adjusted of \(id) instead of \(adjusted[id, default: 0])")
            }
        }
        for row in ledger.orders where row.status != "refused" {
            let expected = owned[row.id]?.isEmpty == false ? "accepted" : "cancelled"
            if row.status != expected { differ("order \(row.id) is \(row.status) instead of \(expected)") }
        }
        for row in ledger.deadLetters where row.reason == "unknown_order" {
            // Their treatment is up to the operator.
            if row.status == "discarded" || replayed.contains(row.entryID) { continue }
            let (id, exists, hasCome): (String, Bool, Bool)
            switch message(of: row)?.meaning {
            case .cancellation(let cancellation)?:
                (id, exists) = (cancellation.id, orders[cancellation.order] != nil)
                hasCome = cancellations[id] != nil
            case .refund(let refund)?:
                (id, exists) = (refund.id, isKnown(refund.order))
                hasCome = refunds[id] != nil
            default: continue
            }
            let expected = exists ? "replayed" : "open"
            if row.status != expected {
                differ("dead letter \(row.position) of \(id) is \(row.status) instead of \(expected)")
            }
            if exists, !hasCome { differ("\(id) has not come again, though its order is there") }
        }
    }

    /// The epochs in which each row may have been recorded.
    private static func epochs(around rows: [LedgerContents.Row], last: Int64) -> [ClosedRange<Int64>] {
        var before: [Int64] = []
        var epoch: Int64 = 0
        for row in rows {
            epoch = max(row.epoch ?? 0, epoch)
            before.append(epoch)
        }
        var ranges: [ClosedRange<Int64>] = []
        epoch = max(last, epoch)
        for (row, lower) in zip(rows, before).reversed() {
            epoch = min(row.epoch ?? epoch, epoch)
            ranges.append(min(lower, epoch)...epoch)
        }
        return ranges.reversed()
    }

    // MARK: - Orders

    private mutating func take(_ row: LedgerRows.Order) {
        let content = Message.Order(id: row.id, lines: row.lines).content
        guard let order = sentOrders[row.id]?.first(where: { $0.content == content }) else {
            return differ("order \(row.id) was never sent with these lines: \(row.lines)")
        }
        guard let version = versions[row.epoch], let catalogue = catalogues[version] else {
            return differ("order \(row.id) was decided in epoch \(row.epoch), whose catalogue is unknown")
        }
        if orders[row.id] != nil { return differ("order \(row.id) is recorded twice") }
        orders[row.id] = order
        if let violation = row.lines.lazy.compactMap({ catalogue.violation(in: $0) }).first {
            differ("order \(row.id) was decided in spite of \(violation) in catalogue \(version)")
        }
        let shortage = shortage(of: row.lines, under: catalogue)
        if shortage != row.shortage {
            differ(
                "order \(row.id) of entry \(row.entryID), epoch \(row.epoch), catalogue \(version): "
                    + "\(Self.text(row.shortage)) instead of \(Self.text(shortage))")
        }
        guard row.shortage == nil else {
            if row.seq != nil { differ("order \(row.id) is refused, and has a seq") }
            return
        }
        next(row.seq, "order \(row.id)")
        for line in row.lines {
            add(line.units, product: line.product, variant: line.variant)
            let unit = Message.Line(product: line.product, variant: line.variant, units: 0, price: 0)
            owned[row.id, default: [:]][unit, default: 0] += line.units
        }
    }

    /// The first counter with too few units left, as the lines name them, product before variant.
    private func shortage(of lines: [Message.Line], under catalogue: ShopCatalogue) -> LedgerRows.Shortage? {
        var asked: [String: Int] = [:]
        for line in lines {
            asked[line.product, default: 0] += line.units
            if let variant = line.variant { asked[variant, default: 0] += line.units }
        }
        for line in lines {
            let counters = [("product", line.product)] + (line.variant.map { [("variant", $0)] } ?? [])
            for (level, id) in counters {
                guard let cap = catalogue.caps[id] else { continue }
                let left = max(cap - sold[id, default: 0], 0)
                if asked[id, default: 0] > left {
                    return LedgerRows.Shortage(
                        reason: left == 0 ? "sold_out" : "insufficient", level: level, id: id,
                        asked: asked[id, default: 0], left: left)
                }
            }
        }
        return nil
    }

    private static func text(_ shortage: LedgerRows.Shortage?) -> String {
        shortage.map { "\($0.reason) (\($0.level) \($0.id): \($0.asked) asked, \($0.left) left)" } ?? "accepted"
    }

    private mutating func next(_ found: Int64?, _ what: String) {
        seq += 1
        if found != seq { differ("\(what) has seq \(found.map(String.init) ?? "none") instead of \(seq)") }
    }

    private mutating func add(_ units: Int, product: String, variant: String?) {
        sold[product, default: 0] += units
        if let variant { sold[variant, default: 0] += units }
    }

    private mutating func adjust(_ units: Int, product: String, variant: String?) {
        adjusted[product, default: 0] += units
        if let variant { adjusted[variant, default: 0] += units }
    }

    // MARK: - Cancellations and adjustments

    private mutating func take(_ row: LedgerRows.Cancellation) {
        if cancellations[row.id] != nil { return differ("cancellation \(row.id) is recorded twice") }
        cancellations[row.id] = row.content
        guard orders[row.orderID] != nil else {
            return differ("cancellation \(row.id) was taken before order \(row.orderID)")
        }
        let ownedNow = owned[row.orderID] ?? [:]
        var released: [Message.Line: Int] = [:]
        for (unit, asked) in row.content.asked ?? ownedNow {
            let units = min(asked, ownedNow[unit] ?? 0)
            if units > 0 { released[unit] = units }
        }
        var (foundReleased, foundGiven): ([Message.Line: Int], [Message.Line: Int]) = ([:], [:])
        for item in row.items {
            let unit = Message.Line(product: item.product, variant: item.variant, units: 0, price: 0)
            if item.released > 0 { foundReleased[unit, default: 0] += item.released }
            if item.givenBack > 0 { foundGiven[unit, default: 0] += item.givenBack }
        }
        if foundReleased != released {
            differ("cancellation \(row.id) released \(foundReleased) instead of \(released)")
        }
        let given = row.restock ? released : [:]
        if foundGiven != given { differ("cancellation \(row.id) gave back \(foundGiven) instead of \(given)") }
        let units = given.values.reduce(0, +)
        if row.units != units { differ("cancellation \(row.id) gave back \(row.units) units instead of \(units)") }
        if units > 0 {
            next(row.seq, "cancellation \(row.id)")
        } else if row.seq != nil {
            differ("cancellation \(row.id) changed nothing, and has a seq")
        }
        for (unit, units) in released {
            let left = (ownedNow[unit] ?? 0) - units
            owned[row.orderID]?[unit] = left > 0 ? left : nil
            if row.restock {
                add(-units, product: unit.product, variant: unit.variant)
            } else {
                adjust(units, product: unit.product, variant: unit.variant)
            }
        }
    }

    private mutating func take(_ row: LedgerRows.Adjustment) {
        if adjustments[row.id] != nil { return differ("adjustment \(row.id) is recorded twice") }
        adjustments[row.id] = row.content
        if let version = versions[row.epoch], let catalogue = catalogues[version] {
            if let violation = catalogue.violation(in: row.content.line, mayBeClosed: true) {
                differ("adjustment \(row.id) was taken in spite of \(violation) in catalogue \(version)")
            }
        } else {
            differ("adjustment \(row.id) was taken in epoch \(row.epoch), whose catalogue is unknown")
        }
        if takesTooMuch(row.content) { differ("adjustment \(row.id) took more than there was to take") }
        next(row.seq, "adjustment \(row.id)")
        add(row.units, product: row.product, variant: row.variant)
        adjust(row.units, product: row.product, variant: row.variant)
    }

    private func takesTooMuch(_ adjustment: Message.Adjustment) -> Bool {
        let counters = [adjustment.product] + (adjustment.variant.map { [$0] } ?? [])
        return adjustment.units < 0 && counters.contains { adjusted[$0, default: 0] + adjustment.units < 0 }
    }

    // MARK: - Refunds

    /// Whether a customer may have paid for it: it is recorded, or there is a dead letter of its checkout.
    private func isKnown(_ order: String) -> Bool { orders[order] != nil || deadOrders.contains(order) }

    private mutating func take(_ row: LedgerRows.Refund) {
        if refunds[row.id] != nil { return differ("refund \(row.id) is recorded twice") }
        refunds[row.id] = row.content
        if !isKnown(row.orderID) { differ("refund \(row.id) was taken before order \(row.orderID)") }
    }

    // MARK: - Dead letters

    private func message(of row: LedgerRows.DeadLetter) -> Message? {
        (row.bytes ?? letters[row.fingerprint]).flatMap { sent[$0] }
    }

    private mutating func take(_ row: LedgerRows.DeadLetter) {
        if row.status == "replay" { differ("dead letter \(row.position) is still to be published again") }
        // Removed before the run read it.
        if row.bytes == nil, letters[row.fingerprint] == nil {
            // Of a checkout, if it has no other kind of id.
            if let order = row.orderID, row.cancellationID == nil, row.refundID == nil { deadOrders.insert(order) }
            return
        }
        guard let message = message(of: row) else {
            return differ("dead letter \(row.position) (\(row.reason)) holds bytes that were never sent")
        }
        let expected: [String?]
        // Afterwards: it is known from this row on.
        defer { if case .order(let order) = message.meaning { deadOrders.insert(order.id) } }
        switch message.meaning {
        // A consumer that is killed three times while it decodes a large message alone blames the message.
        case .poison(let reason): expected = message.isLarge ? [reason, "crashed_consumer"] : [reason]
        case .order(let order):
            if let known = orders[order.id] {
                expected = [known.content != order.content ? "order_conflict" : nil]
            } else {
                expected = inForce.map { catalogue in
                    order.lines.lazy.compactMap { catalogue.violation(in: $0) }.first
                }
            }
        case .cancellation(let cancellation):
            if let known = cancellations[cancellation.id] {
                expected = [known != cancellation.content ? "cancellation_conflict" : nil]
            } else {
                expected = [orders[cancellation.order] == nil ? "unknown_order" : nil]
            }
        case .refund(let refund):
            if let known = refunds[refund.id] {
                expected = [known != refund ? "refund_conflict" : nil]
            } else {
                expected = [isKnown(refund.order) ? nil : "unknown_order"]
            }
        case .adjustment(let adjustment):
            if let known = adjustments[adjustment.id] {
                expected = [known != adjustment ? "adjustment_conflict" : nil]
            } else {
                let isTooLarge = takesTooMuch(adjustment)
                expected = inForce.map { catalogue in
                    catalogue.violation(in: adjustment.line, mayBeClosed: true)
                        ?? (isTooLarge ? "adjustment_too_large" : nil)
                }
            }
        }
        if !expected.contains(row.reason) {
            let texts = Set(expected.map { $0 ?? "being processed" }).sorted().joined(separator: " or ")
            differ(
                "dead letter \(row.position) of entry \(row.entryID) (\(message.kind)) is \(row.reason) instead of "
                    + texts)
        }
    }
}
