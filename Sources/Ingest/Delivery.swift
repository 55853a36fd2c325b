/// Entries that were read, and the ids of entries that can no longer be read.
package struct Delivery: Sendable {
    package var entries: [StreamEntry] = []
    /// Ids that were pending but are no longer in the stream: messages were trimmed or deleted before they were
    /// processed.
    package var lost: [String] = []
    /// Whether nothing new had arrived when the wait ended.
    package var isEmptyRead = false
    /// Whether there are likely more entries: the read returned as many as were requested.
    package var isFull = false

    package init(
        entries: [StreamEntry] = [], lost: [String] = [], isEmptyRead: Bool = false, isFull: Bool = false
    ) {
        self.entries = entries
        self.lost = lost
        self.isEmptyRead = isEmptyRead
        self.isFull = isFull
    }
}
