import Foundation

/// A message's meaning, and the bytes the publisher sent.
struct Message: Sendable {
    struct Line: Sendable, Hashable {
        var product: String
        var variant: String?
        var units: Int
        var price = 100
    }

    struct Order: Sendable {
        var id: String
        var lines: [Line]

        /// Orders of the same id are equal if their sums are.
        var content: [Line: Int] { Message.sums(lines) }
    }

    struct Cancellation: Sendable {
        var id: String
        var order: String
        /// `nil` for all that the order owns.
        var lines: [Line]?
        var restock: Bool

        var content: CancellationContent {
            CancellationContent(order: order, restock: restock, asked: lines.map(Message.sums))
        }
    }

    /// Cancellations of the same id are equal if this is.
    struct CancellationContent: Sendable, Equatable {
        var order: String
        var restock: Bool
        /// Units of each product and variant; `nil` for all that the order owns.
        var asked: [Line: Int]?
    }

    struct Adjustment: Sendable, Equatable {
        var id: String
        var product: String
        var variant: String?
        var units: Int

        /// Its SKU and units as a line of an order.
        var line: Line { Line(product: product, variant: variant, units: units) }
    }

    /// Refunds of the same id are equal if all of this is.
    struct Refund: Sendable, Equatable {
        var id: String
        var order: String
        /// In the orders' only currency; `nil` for all that was due.
        var amount: Int?
    }

    enum Meaning: Sendable {
        case order(Order)
        case cancellation(Cancellation)
        case adjustment(Adjustment)
        case refund(Refund)
        /// Can never be processed, for this reason.
        case poison(reason: String)
    }

    var meaning: Meaning
    /// Names and values of the entry's fields.
    let fields: [[UInt8]]
    /// The kind under which the report counts it.
    var kind: String

    /// The message's identity: the fields as the ledger keeps those of a dead letter.
    let bytes: [UInt8]

    init(_ meaning: Meaning, kind: String, type: String, payload: String) {
        self.init(meaning, kind: kind, fields: ["type", type, "payload", payload].map { Array($0.utf8) })
    }

    init(_ meaning: Meaning, kind: String, fields: [[UInt8]]) {
        self.meaning = meaning
        self.kind = kind
        self.fields = fields
        bytes = Self.key(fields)
    }

    /// The id in an entry's payload, if that is an adjustment.
    static func adjustmentID(_ fields: [[UInt8]]) -> String? {
        guard fields.count == 4, String(decoding: fields[1], as: UTF8.self) == "stock.adjusted",
            let payload = try? JSONSerialization.jsonObject(with: Data(fields[3])) as? [String: Any]
        else { return nil }
        return payload["adjustment_id"] as? String
    }

    /// Units of each product, variant and price.
    static func sums(_ lines: [Line]) -> [Line: Int] {
        var sums: [Line: Int] = [:]
        for var line in lines {
            let units = line.units
            line.units = 0
            sums[line, default: 0] += units
        }
        return sums
    }

    /// The largest value that the ledger keeps whole.
    private static let keptWhole = 1 << 20
    /// The length of a larger value's head that is compared, together with the total size.
    private static let compared = 1_024

    /// The ledger keeps only part of it, and decoding it takes long.
    var isLarge: Bool { fields.contains { $0.count > Self.keptWhole } }

    static func key(_ fields: [[UInt8]]) -> [UInt8] {
        let size = fields.reduce(0) { $0 + $1.count }
        return fields.contains { $0.count > keptWhole } ? key(ofLarge: fields, size: size) : encoded(fields)
    }

    /// - Parameter fields: Names and values, or the heads of values.
    static func key(ofLarge fields: [[UInt8]], size: Int) -> [UInt8] {
        encoded(fields.map { Array($0.prefix(compared)) }) + Array("of \(size)".utf8)
    }

    /// A RESP array.
    static func encoded(_ fields: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(fields.count)\r\n".utf8)
        for field in fields { bytes += Array("$\(field.count)\r\n".utf8) + field + Array("\r\n".utf8) }
        return bytes
    }
}
