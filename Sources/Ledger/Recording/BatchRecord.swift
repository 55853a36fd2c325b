/// The record of one stream entry: a command, planned or decided, or a message that can never be processed.
package enum BatchRecord<Recorded: Sendable>: Sendable {
    case command(Recorded)
    indirect case deadLetter(NewDeadLetter)

    package var command: Recorded? {
        if case .command(let command) = self { command } else { nil }
    }
}
