import Foundation

extension ChaosVerdict {
    /// What was announced is what is recorded, and what is recorded was announced (I8). Excepted is what Redis may have
    /// lost together with the entry, or with the outcome before it was read: decided in a stretch in which Redis loses,
    /// before its last loss.
    func checkAnnouncements(_ contents: LedgerContents) async throws {
        let client = shop.redis.client()
        while try await announcements.read(shop, client) > 0 {}
        await client.close()
        let announced = announcements.counts
        let recorded = Dictionary(grouping: contents.announcements) { $0 }.mapValues(\.count)
        for announcement in announced.keys where recorded[announcement] == nil {
            journal.violation("I8", "\(announcement) was announced, and is not what is recorded")
        }
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for (announcement, count) in recorded {
            let time = (try? format.parse(announcement.decidedAt)) ?? Date()
            let found = announced[announcement, default: 0]
            if journal.mayBeLost(time) {
                journal.count("samples", found < count ? "outcomes lost by Redis" : "records announced", count)
            } else if found < count {
                journal.violation("I8", "\(announcement) is recorded \(count) times, and was announced \(found) times")
            } else {
                journal.count("samples", "records announced", count)
            }
        }
    }
}
