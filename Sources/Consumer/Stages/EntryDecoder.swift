import Failpoints
import Ingest
import Domain

/// The stage after reading: turns bytes into commands, or into the reason why they can never be commands. It does not
/// depend on the catalogue, so it may run ahead of the batch that is being decided.
enum EntryDecoder {
    static func decode(_ entries: [StreamEntry]) -> [ReadEntry] {
        if entries.isEmpty { return [] }
        Failpoint.decodeBefore.pass()
        let read: [ReadEntry] = entries.map { $0.mayBePoison ? .poison($0) : .decoded(decode($0)) }
        Failpoint.decodeAfter.pass()
        return read
    }

    static func decode(_ entry: StreamEntry) -> DecodedEntry {
        if let reason = entry.unreadReason {
            let invalid = InvalidMessage(.entryNotRead, "the entry was not read: \(reason)")
            return DecodedEntry(entry: entry, command: .failure(invalid))
        }
        let payload = entry.payload
        Failpoint.decodeEntry.pass(over: payload?.copy ?? [])
        return DecodedEntry(entry: entry, command: MessageDecoder.decode(type: entry.type, payload: payload))
    }
}
