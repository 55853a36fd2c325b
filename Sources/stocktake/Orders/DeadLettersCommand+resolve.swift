import ArgumentParser
import Consumer
import Domain
import Ledger
import Operations
import TextEncodings

/// Selects dead letters: by number, or all open ones with a reason.
struct DeadLetterOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Numbers of dead letters, as 'dead-letters list' shows them.", valueName: "ID"))
    var ids: [Int64] = []

    @Option(
        help: "All open dead letters with this reason, instead of numbers.",
        completion: .list(DeadLetterReason.words), transform: { try DeadLetterReason.named($0) })
    var reason: DeadLetterReason?

    func validate() throws {
        if ids.isEmpty == (reason == nil) {
            throw ValidationError("Name dead letters by number, or all open ones with a reason by --reason.")
        }
    }

    var choice: DeadLetterChoice {
        if let reason { return .reason(reason.rawValue) }
        return .numbers(ids)
    }
}

extension DeadLettersCommand {
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes dead letters again, unchanged.",
            discussion: """
                Useful once the cause is fixed: the catalogue lacked a product, or the order arrived later. The active \
                consumer publishes them; a message that still cannot be processed becomes a new dead letter. Exit codes: \
                0 success; 1 some are unknown or not open, and nothing was changed.
                """)

        @OptionGroup var options: SettingsOptions
        @OptionGroup var letters: DeadLetterOptions

        func run() async throws {
            let settings = try options.resolve()
            let ledger = try await settings.ledger.openAdmin(settings.store)
            defer { try? ledger.close() }
            let result = try await ledger.replay(letters.choice, by: await OperatingSystemUser.name())
            let (changed, already) = try numbers(result, done: "replayed")
            if changed + already == 0 {
                return print("no open dead letter with reason \(letters.reason?.rawValue ?? "")")
            }
            let consumer = await settings.ledger.lease.state()
            print(
                "\(changed.counted("dead letter")) to be published again"
                    + (already > 0 ? ", besides \(already.grouped) already requested" : "") + "; "
                    + (consumer.isHeld
                        ? "the active consumer\(consumer.process.map { " (process \($0))" } ?? "") does so within a second"
                        : "no consumer is active: the next one does so when it starts"))
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes the content of dead letters permanently; a record of each is kept.",
            discussion: """
                Type and payload are overwritten wherever the ledger is stored. While a refund is due, the list of \
                refunds keeps id, payment intent, amount and currency. --reason selects open dead letters only; a number \
                may also be that of a replayed one. Exit codes: 0 success; 1 not confirmed, or some are unknown or still \
                to be published again, and nothing was changed.
                """)

        @OptionGroup var options: SettingsOptions
        @OptionGroup var letters: DeadLetterOptions

        @Flag(help: "Do not ask for confirmation.")
        var yes = false

        func run() async throws {
            let settings = try options.resolve()
            let ledger = try await settings.ledger.openAdmin(settings.store)
            defer { try? ledger.close() }
            let count = try await ledger.count(letters.choice)
            if letters.reason != nil, count == 0 {
                return print("no open dead letter with reason \(letters.reason?.rawValue ?? "")")
            }
            let question = "Remove the content of \(count.counted("dead letter")) of store \(settings.store) for good?"
            guard count == 0 || yes || confirm(question) else {
                printError("not discarded")
                throw Exit.no
            }
            let (changed, already) = try numbers(
                try await ledger.discard(letters.choice, by: await OperatingSystemUser.name()), done: "discarded")
            print(
                "discarded \(changed.counted("dead letter"))"
                    + (already > 0 ? ", besides \(already.grouped) already discarded" : "")
                    + (changed > 0 ? ": \(try await waitForErasure(ledger, settings))" : ""))
        }
    }
}

/// Returns how many dead letters were changed, and how many already were. Prints a refusal and throws `Exit.no`.
private func numbers(_ result: ResolveResult, done: String) throws -> (changed: Int, already: Int) {
    switch result {
    case .done(let changed, let already): return (changed, already)
    case .unknown(let numbers):
        printError(
            "nothing was \(done): the ledger has no \(numbers.listed("dead letter")). 'stocktake dead-letters list' shows them."
        )
    case .incomplete(let numbers):
        printError(
            "nothing was \(done): \(numbers.listed("dead letter")): too large to be kept whole. Publish it again from its source."
        )
    case .refused(let letters):
        for (number, status) in letters { printError("dead letter \(number) cannot be \(done): \(status.obstacle)") }
        printError("nothing was changed")
    }
    throw Exit.no
}

extension DeadLetterStatus {
    /// Why a dead letter with this status cannot be changed, and what to do.
    fileprivate var obstacle: String {
        switch self {
        case .replay:
            "it is to be published again. Start a consumer, and try again when its status is replayed."
        case .replayed:
            "it was already published again. If that failed, too, there is a newer dead letter: replay that."
        case .discarded: "its content was discarded. Publish the message again from its source."
        case .open: "it is open."
        }
    }
}

extension [Int64] {
    /// The numbers after their noun: "dead letter 7", "dead letters 7, 9".
    func listed(_ noun: String) -> String {
        "\(noun)\(count == 1 ? "" : "s") \(map { String($0) }.joined(separator: ", "))"
    }
}
