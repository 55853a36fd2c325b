import ArgumentParser
import CatalogueFiles
import Concurrency
import Glibc
import Domain
import Ledger
import Files
import StrictJSON
import TextEncodings

struct SyncCommand: AsyncParsableCommand, FileCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Imports a catalogue file into the ledger: caps and descriptions, never sold quantities.",
        discussion: """
            Products and variants that are missing from the file are closed, not deleted. Creates the ledger if there is \
            none. Does not need Redis: a running consumer adopts the new catalogue within a second. Exit codes: 0 success; \
            1 the file is invalid, and nothing was written.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The catalogue, or - for standard input.", valueName: "FILE"))
    var file = "config/products.json"

    var files: [String] { [file] }

    @Flag(help: "Print what would change, and change nothing.")
    var dryRun = false

    @Flag(help: "Print the changes as JSON.")
    var json = false

    /// The maximum number of changes listed one by one; the rest are counted.
    private static let listedChanges = 50

    func run() async throws {
        let settings = try options.resolve()
        let catalogue = try await readCatalogue()
        if !dryRun { try await settings.createLedgerIfMissing() }
        let progress = Progress()
        let changes: CatalogueChanges
        do {
            changes = try await apply(catalogue, to: settings) { done in
                progress.show("\(done.grouped) of \(catalogue.products.count.grouped) products")
            }
            progress.end()
        } catch let moved as MovedVariant {
            progress.end()
            for move in moved.moves {
                printError(
                    "\(name): \(move.path): variant \"\(move.variant)\" belongs to product \"\(move.ledgerProduct)\"; it cannot move to \"\(move.fileProduct)\". Give the new variant a different id."
                )
            }
            throw Exit.no
        }
        for warning in changes.warnings { printError("warning: \(warning)") }
        if json { printJSON(described(changes)) } else { list(changes) }
    }

    private func apply(
        _ catalogue: Catalogue, to settings: Settings, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> CatalogueChanges {
        if dryRun {
            let ledger = try await settings.ledger.openReader(settings.store)
            defer { try? ledger.close() }
            return try await ledger.changes(by: catalogue, progress: progress)
        }
        let ledger = try await settings.ledger.openAdmin(settings.store)
        defer { try? ledger.close() }
        return try await ledger.sync(catalogue, by: await OperatingSystemUser.name(), progress: progress)
    }

    /// The file's name in messages.
    private var name: String { file == "-" ? "standard input" : file }

    private func readCatalogue() async throws -> Catalogue {
        guard
            let bytes = await offCooperativeThreads({ [file] in
                file == "-" ? FilePath.contents(of: STDIN_FILENO) : FilePath.contents(of: file)
            })
        else {
            throw Failure(
                "syncing the catalogue failed: on \(name): it cannot be read. Check the path and its permissions.")
        }
        guard let text = TextEncoding.text(of: bytes) else {
            printError("\(name): \(TextEncoding.refusal).")
            throw Exit.no
        }
        switch CatalogueFile.decode(text) {
        case .valid(let catalogue, let warnings):
            for warning in warnings { printError("warning: \(name): \(warning)") }
            return catalogue
        case .invalid(let violations, let warnings):
            for warning in warnings { printError("warning: \(name): \(warning)") }
            for violation in violations { printError("\(name): \(violation)") }
            printError("\(violations.count.counted("violation")); nothing was written")
            throw Exit.no
        }
    }

    private func list(_ changes: CatalogueChanges) {
        for change in changes.changes.prefix(Self.listedChanges) {
            let columns = change.columns.isEmpty ? "" : ": " + change.columns.map(\.text).joined(separator: ", ")
            print("\(change.kind.rawValue) \(change.counter.level.rawValue) \(change.counter.id)\(columns)")
        }
        let more = changes.changes.count - Self.listedChanges
        if more > 0 { print("… and \(more.grouped) more") }
        var counts: [String] = []
        for kind in [CatalogueChanges.Kind.added, .changed, .closed, .reopened] {
            let number = changes.changes.count { $0.kind == kind }
            if number > 0 { counts.append("\(number.grouped) \(kind.rawValue)") }
        }
        counts.append("\(changes.unchanged.grouped) unchanged")
        print("\(counts.joined(separator: ", ")); catalogue version \(changes.version)\(dryRun ? " (dry run)" : "")")
    }

    private func described(_ changes: CatalogueChanges) -> JSONValue {
        .members([
            "dry_run": .bool(dryRun),
            "version": .integer(changes.version),
            "unchanged": .integer(changes.unchanged),
            "changes": .array(
                changes.changes.map { change in
                    .members([
                        "kind": .string(change.kind.rawValue),
                        "level": .string(change.counter.level.rawValue),
                        "id": .string(change.counter.id.text),
                        "columns": .array(change.columns.map { .string($0.text) }),
                    ])
                }),
            "warnings": .array(changes.warnings.map { .string($0) }),
        ])
    }
}
