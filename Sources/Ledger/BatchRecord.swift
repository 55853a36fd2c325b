/// What one entry of the stream brings into the ledger: a command, planned or decided, or a message that can never be
/// processed.
package enum BatchRecord<Command: Sendable>: Sendable {
    case command(Command)
    indirect case deadLetter(DeadLetterRecord)

    package var command: Command? {
        if case .command(let command) = self { command } else { nil }
    }
}
