import Domain

/// What a ledger holds that a backup of it does not.
package struct MissingRows: Sendable, Equatable {
    package var commands: [Command.Kind: Int] = [:]
    package var deadLetters = 0
    /// Versions of the catalogue; the file that made them is there to be synced again.
    package var catalogueChanges = 0
    /// The positions in the stream of all these messages, in the order of recording.
    package var entries: [StreamID] = []
    /// Orders whose customer data was removed, and reappears with the backup.
    package var erased: [String] = []
    /// Dead letters whose content was removed, and reappears with the backup.
    package var discarded = 0
    /// What could not be read, for people: then all other numbers are lower bounds.
    package var unread: [String] = []

    package init() {}

    package var rows: Int { commands.values.reduce(deadLetters, +) }
    /// Whether everything that the ledger has recorded was compared.
    package var isWhole: Bool { unread.isEmpty }
}
