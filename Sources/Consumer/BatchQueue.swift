import Intake

/// Entries that were read and are not in a batch yet, in the order of the stream.
struct BatchQueue {
    private var entries: [StreamEntry] = []
    private var start = 0
    /// Bytes of names and values.
    private(set) var bytes = 0
    /// The first of the entries, decoded: what a batch could not take with it is not decoded again for the next one.
    var decoded: ArraySlice<DecodedEntry> = []

    var count: Int { entries.count - start }
    var isEmpty: Bool { count == 0 }
    var first: StreamEntry? { isEmpty ? nil : entries[start] }

    mutating func append(_ more: [StreamEntry]) {
        bytes += more.reduce(0) { $0 + $1.size }
        if start == entries.count {
            entries = more
            start = 0
        } else {
            entries.append(contentsOf: more)
        }
    }

    /// Puts entries back before all others.
    mutating func putBack(_ earlier: [StreamEntry]) {
        bytes += earlier.reduce(0) { $0 + $1.size }
        entries = earlier + entries[start...]
        start = 0
        decoded = []
    }

    mutating func removeFirst(_ number: Int) {
        bytes -= entries[start..<start + number].reduce(0) { $0 + $1.size }
        decoded = decoded.dropFirst(number)
        start += number
        if start == entries.count {
            entries = []
            start = 0
        }
    }

    /// Up to `limit` entries from the front, with at most `bytes` bytes (but at least one entry), up to the next suspect.
    func front(limit: Int, bytes: Int) -> ArraySlice<StreamEntry> {
        guard let first else { return [] }
        if first.isSuspect { return entries[start...start] }
        var (end, size) = (start, 0)
        while end < entries.count, end - start < limit, !entries[end].isSuspect {
            size += entries[end].size
            if end > start, size > bytes { break }
            end += 1
        }
        return entries[start..<end]
    }
}
