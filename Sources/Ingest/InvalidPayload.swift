import Domain
import StrictJSON

extension MessageDecoder {
    /// Returns what can be read from an entry that becomes a dead letter: the ids by which its publisher finds the
    /// outcome, and the payment, because that money is owed to the payer. The payment is nil unless the entry is a
    /// checkout.
    ///
    /// A payload that has crashed the process is not read again.
    package static func remains(
        of entry: StreamEntry, invalidBy reason: DeadLetterReason
    ) -> (ids: MessageIDs, payment: Payment?) {
        let isCheckout = entry.type?.equals(Command.Kind.placeOrder.rawValue) == true
        guard reason != .crashedConsumer, let payload = entry.payload else {
            return (MessageIDs(), isCheckout ? Payment() : nil)
        }
        let read = InvalidPayload.read(payload.prefix(Limit.payloadBytes))
        return (read.ids, isCheckout ? read.payment : nil)
    }
}

/// Reads what it can from a rejected payload by the rules for messages, even if the payload is truncated or otherwise
/// not JSON from some position on, or contains bytes that are not UTF-8. Fields that break the rules are ignored.
private struct InvalidPayload {
    /// A field that a payload may have once: if it occurs several times, the right value is unknown.
    private struct Field<Value> {
        private(set) var value: Value?
        private var isRead = false

        mutating func set(_ read: Value?) {
            value = isRead ? nil : read
            isRead = true
        }
    }

    private var scanner: JSONScanner
    private var idFields: [Command.Kind: Field<String>] = [:]
    private var intentID = Field<String>()
    private var currency = Field<String>()
    private var total = Field<Int64>()
    private var items = Field<Int64>()

    static func read(_ payload: [UInt8]) -> (ids: MessageIDs, payment: Payment) {
        guard var reader = reader(of: payload) else { return (MessageIDs(), Payment()) }
        // Fields that were read before an error are kept.
        try? reader.readFields()
        return (reader.ids, reader.payment)
    }

    private init(_ bytes: [UInt8], at place: Range<Int>) throws(JSONError) {
        scanner = try JSONScanner(bytes, at: place)
    }

    /// Skips a byte order mark, and replaces bytes that are not UTF-8: a name in a different encoding must not hide an
    /// amount.
    private static func reader(of payload: [UInt8]) -> InvalidPayload? {
        let start = payload.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        if let reader = try? InvalidPayload(payload, at: start..<payload.count) { return reader }
        let repaired = Array(String(decoding: payload[start...], as: UTF8.self).utf8)
        return try? InvalidPayload(repaired, at: 0..<repaired.count)
    }

    private var ids: MessageIDs {
        var ids = MessageIDs()
        for (kind, field) in idFields { ids[kind] = field.value.map { Identifier($0) } }
        return ids
    }

    private var payment: Payment {
        var payment = Payment(orderID: ids.order, intentID: intentID.value, currency: currency.value)
        payment.setAmount(total: total.value, items: items.value)
        return payment
    }

    private mutating func readFields() throws(JSONError) {
        guard try scanner.peek() == .object else { return }
        try scanner.enterObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "payment_intent_id": intentID.set(try text())
            case "currency": currency.set(try text())
            case "total": total.set(try integer(in: -Limit.exactInteger...Limit.exactInteger))
            case "items": items.set(try amountOfItems())
            default:
                guard let kind = Command.Kind.allCases.first(where: { key.equals($0.idField) }) else {
                    try scanner.skipValue()
                    continue
                }
                let id = try text()
                idFields[kind, default: Field()].set(id)
            }
        }
    }

    /// Reads text that is valid as an id: nothing longer is kept after the message is discarded.
    private mutating func text() throws(JSONError) -> String? {
        guard try scanner.peek() == .string else {
            try scanner.skipValue()
            return nil
        }
        let text = try scanner.readString()
        return Identifier.violation(in: text) == nil && !text.unicodeScalars.contains("\u{FFFD}") ? text : nil
    }

    private mutating func integer(in range: ClosedRange<Int64>) throws(JSONError) -> Int64? {
        guard try scanner.peek() == .number else {
            try scanner.skipValue()
            return nil
        }
        return try scanner.readNumber().integer.flatMap { range.contains($0) ? $0 : nil }
    }

    /// Returns the sum of the items, or nil if it is unknown or there are no items.
    private mutating func amountOfItems() throws(JSONError) -> Int64? {
        guard try scanner.peek() == .array else {
            try scanner.skipValue()
            return nil
        }
        var sum = ItemsAmount()
        var isEmpty = true
        try scanner.enterArray()
        while try scanner.nextElement() {
            isEmpty = false
            guard try scanner.peek() == .object else {
                try scanner.skipValue()
                sum.add(unitPrice: nil, units: nil)
                continue
            }
            var (unitPrice, units): (Int64?, Int64?)
            try scanner.enterObject()
            while let key = try scanner.nextKey() {
                switch key {
                case "unit_price": unitPrice = try integer(in: 0...Limit.exactInteger)
                case "quantity": units = try integer(in: 1...Limit.exactInteger)
                default: try scanner.skipValue()
                }
            }
            sum.add(unitPrice: unitPrice, units: units)
        }
        return isEmpty ? nil : sum.amount
    }
}
