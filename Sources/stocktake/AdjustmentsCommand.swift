import ArgumentParser
import Consumer
import Intake
import Inventory
import Ledger
import RedisClient
import StrictJSON
import TextEncodings

struct AdjustmentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjustments", abstract: "Units sold past the orders ('stocktake stock adjust').",
        subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists adjustments, latest first.")

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let adjustments = try await ledger.adjustments(limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members([
                        "adjustments": .array(adjustments.elements.map(\.json)), "next": .text(adjustments.next),
                    ]))
                return
            }
            var table = Table([
                ("ADJUSTMENT", .left), ("PRODUCT", .left), ("VARIANT", .left), ("SOLD", .right), ("SEQ", .right),
                ("DECIDED", .left), ("REASON", .left),
            ])
            for recorded in adjustments.elements {
                let adjustment = recorded.adjustment
                table.add([
                    adjustment.adjustmentID.text, adjustment.sku.productID.text,
                    adjustment.sku.variantID?.text ?? "", adjustment.units.signed, recorded.seq.grouped,
                    recorded.decidedAt, adjustment.reason,
                ])
            }
            table.print()
            page.tellNext(adjustments.next)
        }
    }
}

struct StockAdjustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Counts units as sold, or not, that no order is for: sold elsewhere, samples, sold before.",
        discussion: """
            Goes through the stream like an order, is kept for good, and is a fact: no cap refuses it. What it takes away \
            (--sold -3) must have been added by earlier adjustments, or have been cancelled without restock; units of \
            orders come back by cancellations. What the ledger shows to be wrong is not sent. After a failure repeat it \
            with the --id that was printed: under one id it counts once. Exit codes: 0 recorded, or sent while no \
            consumer runs; 1 the ledger shows it to be wrong, or it became a dead letter; 2 Redis could not be reached, or \
            it is not known whether it was sent.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The product's id.", valueName: "PRODUCT"))
    var product: String

    @Argument(help: ArgumentHelp("The variant's id, if the product has variants.", valueName: "VARIANT"))
    var variant: String?

    // Unconditional: -3 is a value, not a flag.
    @Option(parsing: .unconditional, help: "Units to add to what is sold; negative takes away.")
    var sold: Int64

    @Option(help: "Why: kept with it.")
    var reason: String

    @Option(help: "An id of your own; the same one again changes nothing. Default: a random one.")
    var id: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if sold == 0 || abs(sold.clamped) > Limit.adjustment {
            throw ValidationError("--sold must be from -\(Limit.adjustment) to \(Limit.adjustment), and not 0.")
        }
        if reason.isEmpty { throw ValidationError("--reason must say why.") }
        if let id, let violation = Identifier.violation(in: id) { throw ValidationError("--id \(violation).") }
    }

    /// How long to wait for the consumer's answer.
    private static let patience = Duration.seconds(10)
    private static let pollInterval = Duration.milliseconds(50)

    func run() async throws {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openReader(settings.store)
        defer { try? ledger.close() }
        let adjustment = Adjustment(
            adjustmentID: Identifier(id ?? "adj-" + String(UInt64.random(in: .min ... .max), radix: 16)),
            sku: SKU(Identifier(product), variant.map { Identifier($0) }), units: sold, reason: reason,
            adjustedAt: Timestamp.now())
        if let recorded = try await ledger.adjustment(adjustment.adjustmentID) {
            guard recorded.adjustment.digest == adjustment.digest else {
                try decline(
                    InvalidMessage(
                        .adjustmentConflict,
                        "adjustment_id: \"\(adjustment.adjustmentID)\" is recorded with other content"))
            }
            return try await tell(recorded, ledger)
        }
        if let invalid = try await ledger.objection(to: adjustment) { try decline(invalid) }
        // Before it is sent: whatever happens from here on, it can be sent again under this id.
        if id == nil { printError("sending \(adjustment.adjustmentID)") }
        var wasSent = false
        do {
            let entry = try await send(adjustment, settings)
            wasSent = true
            try await report(adjustment, entry, ledger, settings)
        } catch let exit as Exit {
            throw exit
        } catch {
            let mayBeSent = wasSent || (error as? RedisError)?.mayHaveExecuted ?? true
            throw Failure(
                "\(explained(error)) The adjustment was \(wasSent ? "sent" : mayBeSent ? "perhaps sent" : "not sent"). Repeat it under its id, under which it counts once: \(Repetition.command(after: "adjust", id: adjustment.adjustmentID))"
            )
        }
    }

    /// Says why it is not sent.
    private func decline(_ cause: InvalidMessage) throws -> Never {
        let end = cause.detail.hasSuffix("?") ? "" : "."
        printError("not adjusted: \(cause.reason.rawValue): \(cause.detail)\(end) Nothing was sent.")
        throw Exit.no
    }

    /// - Returns: the entry's id.
    private func send(_ adjustment: Adjustment, _ settings: Settings) async throws -> String {
        let client = settings.client()
        let payload = JSONValue.members([
            "adjustment_id": .string(adjustment.adjustmentID.text),
            "product_id": .string(adjustment.sku.productID.text),
            "variant_id": .text(adjustment.sku.variantID?.text), "sold": .integer(adjustment.units),
            "reason": .string(adjustment.reason), "adjusted_at": .text(adjustment.adjustedAt),
        ])
        let entry = try await client.send(
            StreamWriter.add(
                StreamWriter.fields(type: Command.Kind.adjust.rawValue, payload: Array(payload.text.utf8)),
                to: settings.keys))
        await client.close()
        return entry.string ?? ""
    }

    private func report(
        _ adjustment: Adjustment, _ entry: String, _ ledger: any LedgerReader, _ settings: Settings
    ) async throws {
        let id = adjustment.adjustmentID
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            // The id may have been given by the user, and something else may be recorded under it: then this one
            // becomes a dead letter.
            if let recorded = try await ledger.adjustment(id),
                recorded.adjustment.digest == adjustment.digest
            {
                return try await tell(recorded, ledger)
            }
            if let letter = try await ledger.deadLetter(ofEntry: entry) {
                printError("not adjusted: \(letter.reason): \(letter.detail) (dead letter \(letter.number))")
                throw Exit.no
            }
            if await !settings.ledger.lease.state().isHeld { break }
            try await Task.sleep(for: Self.pollInterval)
        }
        if json {
            printJSON(.members(["id": .string(id.text), "seq": .null]))
        } else {
            print("sent as \(id); it is recorded when a consumer runs and gets to it")
        }
    }

    private func tell(_ recorded: RecordedAdjustment, _ ledger: any LedgerReader) async throws {
        if json { return printJSON(recorded.json) }
        print(
            "recorded as \(recorded.adjustment.adjustmentID), seq \(recorded.seq.grouped): \(try await figures(ledger))"
        )
    }

    private func figures(_ ledger: any LedgerReader) async throws -> String {
        let stock = try await ledger.stock().products.first { $0.id == Identifier(product) }
        guard let availability = stock?.availability() else { return "" }
        let figures = availability.variants.first { $0.id.text == variant } ?? availability.product
        let left = figures.available.map { "\($0.grouped) left" } ?? "unlimited"
        return "\(figures.id) \(figures.sold.grouped) sold, \(left)"
    }
}

extension Int64 {
    /// +5, -3.
    fileprivate var signed: String { (self > 0 ? "+" : "") + grouped }

    /// A number whose magnitude can be taken.
    fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}

extension RecordedAdjustment {
    fileprivate var json: JSONValue {
        .members([
            "id": .string(adjustment.adjustmentID.text), "product_id": .string(adjustment.sku.productID.text),
            "variant_id": .text(adjustment.sku.variantID?.text), "sold": .integer(adjustment.units),
            "reason": .string(adjustment.reason), "adjusted_at": .text(adjustment.adjustedAt), "seq": .integer(seq),
            "decided_at": .string(decidedAt), "entry_id": .string(entryID),
        ])
    }
}
