import Foundation

/// Says on standard error what is being measured, and keeps to the time limit.
struct Progress: Sendable {
    private let started = ContinuousClock.now
    private let limit: Duration

    init(limitSeconds: Int) {
        limit = .seconds(limitSeconds)
    }

    var elapsedSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }

    var isOver: Bool { ContinuousClock.now - started >= limit }

    func say(_ text: String) {
        let line = "bench: \(String(format: "%3.0f", elapsedSeconds)) s: \(text)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
