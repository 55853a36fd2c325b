import Domain

/// The rows that a ledger has but a backup of it lacks.
package struct MissingRows: Sendable, Equatable {
    package var commands: [Command.Kind: Int] = [:]
    package var deadLetters = 0
    /// The number of catalogue versions; the catalogue file still exists and can be synced again.
    package var catalogueChanges = 0
    /// The stream ids of all these messages, in the order of recording.
    package var entries: [StreamID] = []
    /// Orders whose customer data was erased and reappears with the backup.
    package var erased: [String] = []
    /// The number of dead letters whose content was discarded and reappears with the backup.
    package var discarded = 0
    /// The parts that could not be read, described for an operator. If there are any, all other numbers are lower
    /// bounds.
    package var unread: [String] = []

    package init() {}

    package var rows: Int { commands.values.reduce(deadLetters, +) }
    /// Whether everything that the ledger has recorded was compared.
    package var isWhole: Bool { unread.isEmpty }
}
