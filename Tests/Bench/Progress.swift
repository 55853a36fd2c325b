import Foundation

/// Reports on standard error what is being measured, and keeps the run within its time: a group that takes longer than
/// expected makes fewer rounds once it would use the time of later groups.
struct Progress: Sendable {
    private let started = ContinuousClock.now
    private let scale: Scale
    private let groups: [RowGroup]

    init(_ scale: Scale, groups: [RowGroup]) {
        self.scale = scale
        self.groups = groups
    }

    var elapsedSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }

    /// Whether another `next` would use time that later groups need.
    func isOver(for group: RowGroup, after next: Duration) -> Bool {
        let behind = groups.drop { $0 != group }.dropFirst().map(\.expected)
        let needed = behind.reduce(0) { $0 + (scale.isQuick ? $1.quick : $1.full) }
        return ContinuousClock.now - started + next >= .seconds(scale.limitSeconds - needed)
    }

    func say(_ text: String) {
        let line = "bench: \(String(format: "%3.0f", elapsedSeconds)) s: \(text)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
