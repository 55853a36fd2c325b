import ArgumentParser
import Ledger
import Operations
import StrictJSON
import TextEncodings

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "The ledger, which holds the truth.",
        subcommands: [Create.self, Drop.self, Check.self, Backup.self, Restore.self, Adopt.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an empty ledger.", discussion: "Exit codes: 0; 1 there is one already.")

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let settings = try options.resolve()
            do {
                try await settings.ledger.create(store: settings.store)
            } catch let error as any LedgerError {
                if error.kind == .alreadyExists { try refuse(error) }
                throw error
            }
            print("created the ledger \(settings.ledger) for store \(settings.store)")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads the whole ledger: integrity, references, and the sold quantities counted again.",
            discussion: "Exit codes: 0 sound; 1 not.")

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let ledger: any LedgerReader
            do {
                ledger = try await openForReading(options)
            } catch let error as any LedgerError {
                if error.damage != nil { try refuse(error) }
                throw error
            }
            defer { try? ledger.close() }
            let check = try await ledger.check()
            if json { printJSON(Self.json(check, ledger)) } else { Self.show(check, ledger) }
            if !check.isSound { throw Exit.no }
        }

        private static func show(_ check: LedgerCheck, _ ledger: any LedgerReader) {
            for line in check.integrity { print("integrity: \(line)") }
            if check.danglingReferences > 0 {
                print("\(check.danglingReferences.grouped) rows refer to rows that are not there")
            }
            if check.missingRecords != 0 {
                print(
                    "\(check.missingRecords.grouped) rows (orders, cancellations, adjustments, refunds, dead letters) were recorded and are not there"
                )
            }
            if check.missingRefusals != 0 {
                print(
                    "\(check.missingRefusals.grouped) refused orders were recorded and are not there, or not as refused"
                )
            }
            if check.missingDeadLetterBytes != 0 {
                print("the bytes of dead letters are counted \(check.missingDeadLetterBytes.grouped) too high")
            }
            if check.refundFaults != 0 {
                print(
                    "\(check.refundFaults.grouped) refunds or sums of refunds are not what is recorded gives"
                )
            }
            for miscount in check.miscounts {
                print(
                    "\(miscount.counter.level.rawValue) \(miscount.counter.id): \(miscount.column.rawValue) is \(miscount.recorded.grouped), what is recorded adds up to \(miscount.counted.grouped)"
                )
            }
            let verdict = "\(ledger.name): \(check.isSound ? "sound" : "NOT SOUND"); store \(ledger.store)"
            // Of a damaged file not all is known.
            guard check.integrity.isEmpty else {
                print(verdict)
                print("The file is damaged: 'stocktake ledger restore FILE' puts a backup in its place.")
                return
            }
            print(
                "\(verdict), \(check.orders.counted("order")), \(check.deadLetters.counted("dead letter")), epoch \(check.head.epoch), seq \(check.head.seq)"
            )
            if !check.miscounts.isEmpty {
                print("'stocktake reconcile --deep --repair' counts the quantities again.")
            }
        }

        private static func json(_ check: LedgerCheck, _ ledger: any LedgerReader) -> JSONValue {
            .members([
                "path": .string(ledger.name), "store": .string(ledger.store), "identity": .string(ledger.identity),
                "is_sound": .bool(check.isSound), "integrity": .array(check.integrity.map { .string($0) }),
                "dangling_references": .integer(check.danglingReferences),
                "missing_records": .integer(check.missingRecords),
                "missing_changes": .integer(check.missingChanges),
                "missing_refusals": .integer(check.missingRefusals),
                "missing_dead_letter_bytes": .integer(check.missingDeadLetterBytes),
                "refund_faults": .integer(check.refundFaults),
                "miscounts": .array(check.miscounts.map(\.json)),
            ])
            .with(check.commands.members)
            .with([
                ("dead_letters", .integer(check.deadLetters)), ("catalogue_versions", .integer(check.catalogueChanges)),
                ("position", .integer(check.head.position)), ("epoch", .integer(check.head.epoch)),
                ("seq", .integer(check.head.seq)),
            ])
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes the ledger, with all its orders, and the counters in Redis.",
            discussion: """
                Messages that are still in the stream stay there. Exit codes: 0; 1 not dropped: not confirmed, or \
                another process has the ledger open.
                """)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Do not ask.")
        var yes = false

        @Flag(help: "Leave the counters in Redis as they are; a new ledger then has to be adopted ('ledger adopt').")
        var keepCounters = false

        func run() async throws {
            let settings = try options.resolve()
            do {
                let isDropped = try await StoreRemoval(settings.access).run(keepsCounters: keepCounters) { orders in
                    yes
                        || confirm(
                            "Delete \(settings.ledger) with \(orders.counted("order")) of store \(settings.store)?")
                }
                guard isDropped else {
                    printError("not dropped")
                    throw Exit.no
                }
            } catch let error as any LedgerError {
                if error.kind == .inUse { try refuse(error) }
                throw error
            }
            print("dropped \(settings.ledger)")
        }
    }
}
