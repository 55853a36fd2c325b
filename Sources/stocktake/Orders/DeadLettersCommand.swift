import ArgumentParser
import Foundation
import Domain
import Ledger
import Monitoring
import StrictJSON
import TextEncodings

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Invalid messages, which can never be processed as they are.",
        subcommands: [List.self, Show.self, Replay.self, Discard.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists dead letters, latest first.")

        @OptionGroup var options: SettingsOptions

        @Option(
            help: "Only dead letters with this reason.", completion: .list(DeadLetterReason.words),
            transform: { try DeadLetterReason.named($0) })
        var reason: DeadLetterReason?

        @Option(
            help: "Only dead letters with this status: open, replay, replayed or discarded.",
            completion: .list(DeadLetterStatus.words), transform: { try DeadLetterStatus.named($0) })
        var status: DeadLetterStatus?

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let letters = try await ledger.deadLetters(
                reason: reason?.rawValue, status: status, limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members([
                        "dead_letters": .array(letters.elements.map { $0.json(withContent: false) }),
                        "next": .text(letters.next),
                    ]))
                return
            }
            var table = Table([
                ("ID", .right), ("STATUS", .left), ("TYPE", .left), ("REASON", .left), ("ORDER", .left),
                ("ENTRY", .left), ("RECEIVED", .left), ("DETAIL", .left),
            ])
            for letter in letters.elements {
                table.add([
                    String(letter.number), letter.status.rawValue, letter.typeText, letter.reason,
                    (letter.ids.order ?? letter.ids.others.first?.id)?.text ?? "", letter.entryID,
                    letter.receivedAt, letter.detail,
                ])
            }
            table.print()
            page.tellNext(letters.next)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one dead letter in full; its content may include a customer's data.",
            discussion: "The audit records who viewed it ('audit list'). Exit codes: 0 success; 1 it does not exist.")

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The dead letter's number, as 'dead-letters list' shows it.", valueName: "ID"))
        var id: Int64

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            guard let letter = try await ledger.deadLetter(id) else {
                printError("no dead letter \(id) in the ledger. 'stocktake dead-letters list' shows them.")
                throw Exit.no
            }
            if letter.payload != nil || letter.fields != nil {
                await noteLook(.showDeadLetter, at: String(id), options)
            }
            if json {
                printJSON(letter.json(withContent: true))
                return
            }
            var table = Table([("dead letter", .left), (String(letter.number), .left)])
            table.add(["status", letter.statusText])
            table.add(["reason", letter.reason])
            table.add(["detail", letter.detail])
            for kind in Command.Kind.allCases {
                if let id = letter.ids[kind] { table.add([kind.noun, id.text]) }
            }
            table.add(["entry", letter.entryID])
            table.add(["received", letter.receivedAt])
            if letter.type != nil { table.add(["type", letter.typeText]) }
            if !letter.isWhole {
                let kept = [letter.type, letter.payload, letter.fields].reduce(0) { $0 + ($1?.count ?? 0) }
                table.add([
                    "kept",
                    letter.bytes == 0
                        ? "nothing: it was not read"
                        : "\(kept.counted("byte")) of \(Int(clamping: letter.bytes).grouped)",
                ])
            }
            if let digest = letter.payloadDigest { table.add(["payload sha256", digest.hex]) }
            table.print()
            if let content = letter.payload ?? letter.fields {
                print("")
                // Keeps the line breaks of the content: nothing is printed after it.
                for line in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                    print(String(decoding: line, as: UTF8.self))
                }
            }
        }
    }
}

extension RecordedDeadLetter {
    /// The type as text, in a list only its start; empty if there is none.
    var typeText: String { type.map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The status and its time: "open", "replayed (2026-11-22T10:00:00.000Z)".
    var statusText: String { status.rawValue + (resolvedAt.map { " (\($0))" } ?? "") }

    /// The dead letter as JSON, with raw bytes as Base64: they need not be text.
    func json(withContent: Bool) -> JSONValue {
        let facts = JSONValue.members([
            "id": .integer(number), "status": .string(status.rawValue), "resolved_at": .text(resolvedAt),
            "type": .text(type.map { _ in typeText }), "reason": .string(reason), "detail": .string(detail),
        ])
        .with(ids.json)
        .with([
            ("entry_id", .string(entryID)), ("received_at", .string(receivedAt)), ("bytes", .integer(bytes)),
            ("is_whole", .bool(isWhole)),
        ])
        if !withContent { return facts }
        let content = [("type", type), ("payload", payload), ("fields", fields)].map { name, bytes in
            (name + "_base64", JSONValue.text(bytes.map { Data($0).base64EncodedString() }))
        }
        return facts.with(content).with([("payload_sha256", .text(payloadDigest.map(\.hex)))])
    }
}
