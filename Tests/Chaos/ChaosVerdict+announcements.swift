import Foundation

extension ChaosVerdict {
    /// Every announcement matches a record, and every record was announced, in the order of the journal:
    /// outcomes that Redis forgets are announced again.
    func checkAnnouncements(_ contents: LedgerContents) async throws {
        let client = shop.redis.client()
        while try await announcements.read(shop, client) > 0 {}
        await client.close()
        let announced = announcements.all
        let recorded = contents.announcements
        let known = Set(recorded)
        for announcement in Set(announced) where !known.contains(announcement) {
            journal.violation(.announcedAsRecorded, "\(announcement) was announced, but differs from the record")
        }
        // Repeated announcements, of a repeated message or after Redis has forgotten outcomes, stand in between.
        var rest = announced.lazy.compactMap(\.place).makeIterator()
        for announcement in recorded.sorted(by: { $0.position < $1.position }) {
            var next = rest.next()
            while let found = next, found != announcement.place { next = rest.next() }
            if next == nil {
                let exists = announced.contains(announcement)
                journal.violation(
                    .announcedInOrder, "\(announcement) was \(exists ? "announced out of order" : "not announced")")
                return
            }
        }
        journal.count("samples", "records announced", recorded.count)
    }
}

extension Announcement {
    fileprivate var position: Int64 { place?.position ?? 0 }
}
