import Intake
import Inventory

/// What was read, decoded as far as it may be.
enum ReadEntry: Sendable {
    case decoded(DecodedEntry)
    /// It may crash the process: it is decoded when its turn comes, alone.
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

/// A stream entry after decoding. All that is worked out of a message alone is worked out by then: later stages only
/// see what was valid. A class, as it is handed on from stage to stage.
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

    /// What counts against the bound on a batch's lines.
    var lines: Int {
        switch command {
        case .success(let command): command.lines
        case .failure: 1
        }
    }
}
