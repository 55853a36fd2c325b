import ArgumentParser
import Ledger
import Operations
import StrictJSON
import TextEncodings

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "The ledger, the authoritative record of a store.",
        subcommands: [Create.self, Drop.self, Check.self, Backup.self, Restore.self, Adopt.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates an empty ledger.", discussion: "Exit codes: 0 success; 1 the ledger already exists.")

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
            abstract: "Checks the whole ledger: integrity, references and recounted sold quantities.",
            discussion: "Exit codes: 0 sound; 1 not sound.")

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
                print("\(check.danglingReferences.grouped) rows refer to rows that do not exist")
            }
            if check.missingRecords != 0 {
                print(
                    "\(check.missingRecords.grouped) rows (orders, cancellations, adjustments, refunds, dead letters) were recorded but are missing"
                )
            }
            if check.missingRefusals != 0 {
                print(
                    "\(check.missingRefusals.grouped) refused orders were recorded but are missing, or are no longer refused"
                )
            }
            if check.missingDeadLetterBytes != 0 {
                print("the byte count of dead letters is too high by \(check.missingDeadLetterBytes.grouped)")
            }
            if check.refundFaults != 0 {
                print(
                    "\(check.refundFaults.grouped) refunds or sums of refunds do not match the records"
                )
            }
            for miscount in check.miscounts {
                print(
                    "\(miscount.counter.level.rawValue) \(miscount.counter.id): \(miscount.column.rawValue) is \(miscount.recorded.grouped), the records add up to \(miscount.counted.grouped)"
                )
            }
            let verdict = "\(ledger.name): \(check.isSound ? "sound" : "NOT SOUND"); store \(ledger.store)"
            // The counts of a damaged file may be incomplete.
            guard check.integrity.isEmpty else {
                print(verdict)
                print("The file is damaged: 'stocktake ledger restore FILE' puts a backup in its place.")
                return
            }
            print(
                "\(verdict), \(check.orders.counted("order")), \(check.deadLetters.counted("dead letter")), epoch \(check.head.epoch), seq \(check.head.seq)"
            )
            if !check.miscounts.isEmpty {
                print("'stocktake reconcile --deep --repair' recounts the quantities.")
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
                Messages in the stream are kept. Exit codes: 0 success; 1 not dropped: not confirmed, or \
                another process has the ledger open.
                """)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Do not ask for confirmation.")
        var yes = false

        @Flag(help: "Keep the counters in Redis; a new ledger must then be adopted ('ledger adopt').")
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
