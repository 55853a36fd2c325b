import Foundation

/// Says on standard error what is being measured, and keeps the run within its time: a group that takes longer than
/// expected makes fewer rounds once it would take the time of those behind it.
struct Progress: Sendable {
    private let started = ContinuousClock.now
    private let limit: Duration
    private let groups: [RowGroup]

    init(limitSeconds: Int, groups: [RowGroup]) {
        limit = .seconds(limitSeconds)
        self.groups = groups
    }

    var elapsedSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }

    /// Whether `next` more would take time that the groups behind this one need.
    func isOver(for group: RowGroup, after next: Duration) -> Bool {
        let scale = limit / .seconds(Scale.fullSeconds)
        let needed = groups.drop { $0 != group }.dropFirst().reduce(0) { $0 + $1.share } * scale
        return ContinuousClock.now - started + next >= limit - .seconds(needed)
    }

    func say(_ text: String) {
        let line = "bench: \(String(format: "%3.0f", elapsedSeconds)) s: \(text)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
