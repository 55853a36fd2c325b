import Ingest

/// Entries that were decoded and are not in a batch yet, in the order of the stream.
struct BatchQueue {
    /// The limits of a batch; its first entry may exceed them.
    struct Limits {
        var orders: Int
        var lines: Int
        /// Bytes of names and values.
        var bytes: Int
    }

    let limits: Limits
    private var entries: [ReadEntry] = []
    /// Bytes of names and values.
    private(set) var bytes = 0

    init(_ limits: Limits) { self.limits = limits }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    var first: StreamEntry? { entries.first?.entry }

    /// The first entry, if it must be processed alone.
    var poison: StreamEntry? {
        if case .poison(let entry) = entries.first { entry } else { nil }
    }

    mutating func append(_ more: [ReadEntry]) {
        count(more[...], 1)
        entries.append(contentsOf: more)
    }

    /// Puts entries back at the front.
    mutating func putBack(_ earlier: [ReadEntry]) {
        count(earlier[...], 1)
        entries = earlier + entries
    }

    /// Whether the queue starts with these entries.
    func startsWith(_ first: [ReadEntry]) -> Bool {
        entries.count >= first.count && zip(entries, first).allSatisfy { $0.entry.id == $1.entry.id }
    }

    mutating func removeFirst(_ number: Int) {
        count(entries.prefix(number), -1)
        entries.removeFirst(number)
    }

    /// Returns the next batch without removing it: entries from the front, within the limits but at least one, up to
    /// the next poison message.
    func peekBatch() -> [DecodedEntry] {
        var batch: [DecodedEntry] = []
        batch.reserveCapacity(min(limits.orders, count))
        var (lines, bytes) = (0, 0)
        for next in entries.prefix(limits.orders) {
            guard case .decoded(let entry) = next else { break }
            lines += entry.lines
            bytes += entry.size
            if !batch.isEmpty, lines > limits.lines || bytes > limits.bytes { break }
            batch.append(entry)
        }
        return batch
    }

    private mutating func count(_ entries: ArraySlice<ReadEntry>, _ sign: Int) {
        for read in entries { bytes += sign * read.size }
    }
}
