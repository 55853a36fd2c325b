import Ingest
import Domain

/// An entry that was read. It is decoded unless it may be a poison message.
enum ReadEntry: Sendable {
    case decoded(DecodedEntry)
    /// The entry may crash the process, so it is decoded later, alone.
    case poison(StreamEntry)

    var entry: StreamEntry {
        switch self {
        case .decoded(let decoded): decoded.entry
        case .poison(let entry): entry
        }
    }

    /// Bytes of names and values.
    var size: Int {
        switch self {
        case .decoded(let decoded): decoded.size
        case .poison(let entry): entry.size
        }
    }
}

/// A stream entry after decoding. Everything that can be computed from a message alone has been computed: later stages
/// get a valid command, or the reason why there is none. This is a class because it is passed from stage to stage.
final class DecodedEntry: Sendable {
    let entry: StreamEntry
    let command: Result<Command, InvalidMessage>
    /// Bytes of the entry's names and values.
    let size: Int

    init(entry: StreamEntry, command: Result<Command, InvalidMessage>) {
        self.entry = entry
        self.command = command
        size = entry.size
    }

    /// The number of lines that count towards the batch's limit.
    var lines: Int {
        switch command {
        case .success(let command): command.lines
        case .failure: 1
        }
    }
}
