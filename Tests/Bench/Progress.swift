import Foundation

/// Says on standard error what is being measured, and keeps the run within its time: what takes longer than its share
/// makes fewer rounds, so that there is time for the others.
struct Progress: Sendable {
    private let started = ContinuousClock.now
    private let limit: Duration
    private let groups: [RowGroup]

    init(limitSeconds: Int, groups: [RowGroup]) {
        limit = .seconds(limitSeconds)
        self.groups = groups
    }

    var elapsedSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }

    /// Whether `next` more would pass the time of this group and what those before it have left.
    func isOver(for group: RowGroup, after next: Duration) -> Bool {
        let all = groups.reduce(0) { $0 + $1.share }
        let end = groups.prefix { $0 != group }.reduce(group.share) { $0 + $1.share }
        return ContinuousClock.now - started + next >= limit * (end / all)
    }

    func say(_ text: String) {
        let line = "bench: \(String(format: "%3.0f", elapsedSeconds)) s: \(text)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
