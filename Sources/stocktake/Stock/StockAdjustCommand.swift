import ArgumentParser
import Domain
import Ingest
import Ledger
import Operations
import StrictJSON
import TextEncodings

struct StockAdjustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Adjusts the units sold of a SKU without an order: sales elsewhere, samples, earlier sales.",
        discussion: """
            The adjustment goes through the stream like an order and is recorded permanently. It states a fact, so no cap \
            refuses it. Units taken away (--sold -3) must have been added by earlier adjustments or cancelled without \
            restock; units of orders are returned by cancellations. An adjustment that the ledger shows to be invalid is \
            not sent. After a failure, repeat the command with the printed --id: an id counts only once. Exit codes: \
            0 recorded, or sent but not recorded yet; 1 the ledger shows it to be invalid, or it became a dead letter; \
            2 Redis could not be reached, or it is unknown whether the adjustment was sent.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The product's id.", valueName: "PRODUCT"))
    var product: String

    @Argument(help: ArgumentHelp("The variant's id, if the product has variants.", valueName: "VARIANT"))
    var variant: String?

    // Unconditional: -3 is a value, not a flag.
    @Option(parsing: .unconditional, help: "The units to add to the units sold; a negative number subtracts.")
    var sold: Int64

    @Option(help: "Why; recorded with the adjustment.")
    var reason: String

    @Option(help: "Your own id; sending the same id again changes nothing. Default: a random id.")
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

    func run() async throws {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openReader(settings.store)
        defer { try? ledger.close() }
        let adjustment = Adjustment(
            adjustmentID: id.map { Identifier($0) } ?? .random("adj"),
            sku: SKU(Identifier(product), variant.map { Identifier($0) }), units: sold, reason: reason,
            adjustedAt: Timestamp.now(), by: await OperatingSystemUser.name())
        let client = settings.client()
        let submission = CommandSubmission(
            ledger: ledger, lease: settings.ledger.lease, publisher: RedisMessagePublisher(settings.keys, client))
        let result: CommandSubmission.Result
        do {
            result = try await submission.run(
                .adjust(adjustment), payload: adjustment.payload,
                objection: { try await ledger.objection(to: adjustment) },
                willSend: { if id == nil { printError("sending \(adjustment.adjustmentID)") } })
            await client.close()
        } catch let failure as CommandSubmission.Failure {
            throw Failure(
                "\(explained(failure.cause)) The adjustment was \(failure.sent.text). Repeat it under its id, so that it counts only once: \(RepeatCommand.command(after: "adjust", id: adjustment.adjustmentID))"
            )
        }
        try await tell(result, of: adjustment.adjustmentID, ledger)
    }

    private func tell(
        _ result: CommandSubmission.Result, of id: Identifier, _ ledger: any LedgerReader
    ) async throws {
        switch result {
        case .recorded: try await tell(recorded: id, ledger)
        case .objection(let cause):
            let end = cause.detail.hasSuffix("?") ? "" : "."
            printError("not adjusted: \(cause.reason.rawValue): \(cause.detail)\(end) Nothing was sent.")
            throw Exit.no
        case .deadLetter(let letter):
            printError("not adjusted: \(letter.reason): \(letter.detail) (dead letter \(letter.number))")
            throw Exit.no
        case .sent where json: printJSON(.members(["id": .string(id.text), "seq": .null]))
        case .sent: print("sent as \(id); it will be recorded once a consumer processes it")
        }
    }

    private func tell(recorded id: Identifier, _ ledger: any LedgerReader) async throws {
        guard let recorded = try await ledger.adjustment(id) else { return }
        if json { return printJSON(recorded.json) }
        print(
            "recorded as \(recorded.adjustment.adjustmentID), seq \(recorded.seq.grouped): \((try? await stockLine(ledger)) ?? "")"
        )
    }

    private func stockLine(_ ledger: any LedgerReader) async throws -> String {
        let stock = try await ledger.stock().products.first { $0.id == Identifier(product) }
        guard let availability = stock?.availability() else { return "" }
        let stockLevel = availability.variants.first { $0.id.text == variant } ?? availability.product
        let left = stockLevel.available.map { "\($0.grouped) left" } ?? "unlimited"
        return "\(stockLevel.id) \(stockLevel.sold.grouped) sold, \(left)"
    }
}

extension CommandSubmission.Failure.Sent {
    var text: String {
        switch self {
        case .no: "not sent"
        case .perhaps: "perhaps sent"
        case .yes: "sent"
        }
    }
}

extension Int64 {
    /// The number, limited so that `abs` cannot overflow.
    fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}
