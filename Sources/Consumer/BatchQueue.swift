import Intake

/// Entries that were read and are not in a batch yet, in the order of the stream.
struct BatchQueue {
    private var entries: [ReadEntry] = []
    private var start = 0
    /// Bytes of names and values.
    private(set) var bytes = 0

    var count: Int { entries.count - start }
    var isEmpty: Bool { count == 0 }

    /// The first entry, if it is to be processed alone.
    var suspect: StreamEntry? {
        if !isEmpty, case .suspect(let entry) = entries[start] { entry } else { nil }
    }

    mutating func append(_ more: [ReadEntry]) {
        bytes += Self.size(of: more[...])
        if start == entries.count {
            entries = more
        } else {
            entries.removeFirst(start)
            entries.append(contentsOf: more)
        }
        start = 0
    }

    /// Puts entries back before all others.
    mutating func putBack(_ earlier: [ReadEntry]) {
        bytes += Self.size(of: earlier[...])
        entries = earlier + entries[start...]
        start = 0
    }

    mutating func removeFirst(_ number: Int) {
        bytes -= Self.size(of: entries[start..<start + number])
        start += number
        if start == entries.count {
            entries = []
            start = 0
        }
    }

    /// What may be one batch: entries from the front within the limits, but at least one, up to the next suspect.
    func front(limit: Int, lines: Int, bytes: Int) -> [DecodedEntry] {
        var front: [DecodedEntry] = []
        front.reserveCapacity(min(limit, count))
        var (allLines, allBytes) = (0, 0)
        for next in entries[start...].prefix(limit) {
            guard case .decoded(let entry) = next else { break }
            allLines += entry.lines
            allBytes += entry.entry.size
            if !front.isEmpty, allLines > lines || allBytes > bytes { break }
            front.append(entry)
        }
        return front
    }

    private static func size(of entries: ArraySlice<ReadEntry>) -> Int {
        entries.reduce(0) { $0 + $1.entry.size }
    }
}
