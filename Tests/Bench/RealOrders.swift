import Foundation
import Ingest
import Domain
import StrictJSON

/// The orders of a real shop, some 28 lines each, repeated with new ids, in lines per second.
struct RealOrders {
    private static let defaultFolder = "../shared/data/online-retail"

    func measure(in workshop: Workshop) async throws -> [Row] {
        let folder = ProcessInfo.processInfo.environment["STOCKTAKE_REAL_ORDERS"] ?? Self.defaultFolder
        guard
            let catalogue = try? String(contentsOfFile: "\(folder)/products-2000.json", encoding: .utf8),
            let checkouts = try? String(contentsOfFile: "\(folder)/checkouts-2000.ndjson", encoding: .utf8)
        else {
            throw MissingInput(description: "no real orders in \(folder) (docs/testing.md, \"Real orders\")")
        }
        let repetitions = workshop.scale.realRepetitions
        let backlog = try await publish(checkouts, repetitions, in: workshop)
        workshop.progress.say("real: prepared \(backlog.count) orders, \(backlog.lines) lines")
        let template = try await workshop.ledgerTemplate(named: "real") { Self.raisedCaps(catalogue, by: repetitions) }
        var ours = Samples()
        var refused = 0
        try await workshop.rounds(of: .real) { _ in
            try await workshop.restore(backlog)
            let ledger = try workshop.freshLedger(template)
            try await workshop.calmDisk()
            let consumption = try await workshop.consume(into: ledger, expecting: backlog.count)
            ours.add(Double(backlog.lines) / consumption.seconds)
            refused = consumption.refused
            return "\(Table.number(ours.rounds.last ?? 0)) lines/s"
        }
        try await workshop.drop(backlog)
        return [
            Row(
                group: .real, figure: "real orders, lines", unit: .perSecond, goal: "≥ 80,000", ours: ours,
                isReached: ours.median >= 80_000,
                note: "\(backlog.count) orders of \(backlog.lines) lines; \(refused) of them are refused")
        ]
    }

    private func publish(_ checkouts: String, _ repetitions: Int, in workshop: Workshop) async throws -> Backlog {
        try await workshop.clearStore()
        var lines = 0
        var count = 0
        let messages = checkouts.split(separator: "\n")
        for repetition in 1...repetitions {
            for start in stride(from: 0, to: messages.count, by: 500) {
                let commands = try messages[start..<min(start + 500, messages.count)].map { message in
                    let (payload, items) = try Self.payload(message, repetition)
                    lines += items
                    count += 1
                    return workshop.addCommand(payload)
                }
                try await workshop.client.sendAll(commands)
            }
        }
        return try await workshop.keepBacklog("real", count: count, lines: lines)
    }

    /// The message's payload under a new order id, and its number of lines.
    private static func payload(_ message: Substring, _ repetition: Int) throws -> (bytes: [UInt8], items: Int) {
        let mark = #""order_id":""#
        guard let start = message.range(of: #""payload":"#), let id = message.range(of: mark), message.hasSuffix("}")
        else { throw BenchError("reading real orders failed: on \(message.prefix(80)): not a one-line message.") }
        let text =
            message[start.upperBound..<id.upperBound] + "\(repetition)-" + message[id.upperBound...].dropLast()
        let bytes = Array(text.utf8)
        switch MessageDecoder.decode(
            type: ByteSlice(Array(Command.Kind.placeOrder.rawValue.utf8)), payload: ByteSlice(bytes))
        {
        case .success(.placeOrder(let order)): return (bytes, order.checkout.lines.count)
        default: throw BenchError("reading real orders failed: on \(message.prefix(80)): it is no checkout.")
        }
    }

    /// Each sale is repeated as often as the orders are: otherwise nearly everything would be refused.
    private static func raisedCaps(_ catalogue: String, by factor: Int) -> String {
        catalogue.replacing(#/"max_quantity": ?([0-9]+)/#) { match in
            "\"max_quantity\": \((Int(match.1) ?? 0) * factor)"
        }
    }
}
