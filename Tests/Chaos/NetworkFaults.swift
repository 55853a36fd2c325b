import Randomness

/// Faults of the connections to Redis: those of consumers, sometimes those of readers.
struct NetworkFaults: Lane {
    let consumers: FaultyProxy
    let readers: FaultyProxy
    let journal: ChaosJournal
    let without: Set<String>
    let includesHalfOpen: Bool
    var generator: SeededGenerator

    mutating func run(_ rhythm: Rhythm) async throws {
        while try await rhythm.turn(of: .network) {
            commit()
            try await Task.sleep(for: .milliseconds(Int.random(in: 30...500, using: &generator)))
        }
    }

    private mutating func commit() {
        let proxy = generator.chance(80) ? consumers : readers
        let choice = Int.random(in: 0..<1_000, using: &generator)
        let short = Duration.milliseconds(Int.random(in: 10...800, using: &generator))
        let long = Duration.milliseconds(Int.random(in: 300...2_000, using: &generator))
        let bytes = Int.random(in: 1...400, using: &generator)
        let kind = Int.random(in: 0..<(includesHalfOpen ? 100 : 92), using: &generator)
        switch kind {
        case 0..<15: one("connection cut", proxy, .cut, choice)
        case 15..<22: all("connections all cut", proxy, .cut)
        case 22..<37: one("reply cut", proxy, .cutReply(bytes: bytes), choice, "after \(bytes) bytes")
        case 37..<57: one("reply swallowed", proxy, .swallowReply, choice)
        case 57..<67: one("reply delayed", proxy, .delay(short), choice, "\(short)")
        case 67..<73: all("replies all delayed", proxy, .delay(short), "\(short)")
        case 73..<82: one("connection hangs", proxy, .hang(long), choice, "\(long)")
        case 82..<87: one("reply trickles", proxy, .trickle(long), choice, "\(long)")
        case 87..<92:
            if without.contains("connections refused") { return }
            journal.fault("connections refused", "\(short)")
            proxy.refuse(for: short)
        default: one("connection half open", proxy, .halfOpen(long), choice, "\(long)")
        }
    }

    private func one(
        _ kind: String, _ proxy: FaultyProxy, _ misdeed: FaultyProxy.Misdeed, _ choice: Int, _ detail: String = ""
    ) {
        if without.contains(kind) { return }
        if proxy.commit(misdeed, at: choice) { journal.fault(kind, detail) }
    }

    private func all(
        _ kind: String, _ proxy: FaultyProxy, _ misdeed: FaultyProxy.Misdeed, _ detail: String = ""
    ) {
        if without.contains(kind) { return }
        journal.fault(kind, detail)
        proxy.commit(misdeed)
    }
}
