import Randomness
import TestSupport

/// Faults of the consumers.
struct ConsumerFaults: Lane {
    let fleet: ConsumerFleet
    let journal: ChaosJournal
    let without: Set<String>
    var generator: SeededGenerator

    private enum Kind: String, CaseIterable {
        case kill = "consumer kill -9"
        case killTwice = "consumer kill -9 twice"
        case killAll = "consumers all kill -9"
        case stop = "consumer SIGTERM"
        case pause = "consumer SIGSTOP"
    }

    mutating func run(_ rhythm: Rhythm) async throws {
        while try await rhythm.turn(of: .consumers) {
            let kinds: [Kind] = [.kill, .kill, .kill, .killTwice, .killAll, .stop, .stop, .pause, .pause]
            let kind = kinds[Int.random(in: 0..<kinds.count, using: &generator)]
            if !without.contains(kind.rawValue) { try await commit(kind) }
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...1_200, using: &generator)))
        }
    }

    private mutating func commit(_ kind: Kind) async throws {
        guard let slot = fleet.choose(using: &generator) else { return }
        switch kind {
        case .kill:
            journal.fault(kind.rawValue, "\(slot)")
            fleet.kill(slot)
        case .killTwice:
            journal.fault(kind.rawValue, "\(slot)")
            fleet.kill(slot)
            // Kills the standby that takes over, in the middle of its takeover.
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...600, using: &generator)))
            if let next = fleet.choose(using: &generator) { fleet.kill(next) }
        case .killAll:
            journal.fault(kind.rawValue)
            fleet.killAll()
        case .stop:
            journal.fault(kind.rawValue, "\(slot)")
            fleet.askToStop(slot)
        case .pause:
            let time = Duration.milliseconds(
                generator.chance(5)
                    ? Int.random(in: 4_000...8_500, using: &generator) : Int.random(in: 50...1_500, using: &generator))
            journal.fault(kind.rawValue, "\(slot) for \(time)")
            try await fleet.pause(slot, for: time)
        }
    }
}
