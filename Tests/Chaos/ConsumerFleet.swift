import Failpoints
import Foundation
import Randomness
import Synchronization
import TestSupport

/// The consumers of the store: one is active, the others stand by. Those that end are restarted after a while.
final class ConsumerFleet: Sendable {
    /// How a consumer was started.
    private struct Member {
        var process: ChildProcess
        /// The failpoint at which it crashes.
        var failpoint: String?
        /// Takes batches so small that it cannot keep up with the publishers.
        var isSlow = false
        var killed = false
        var stopAsked: ContinuousClock.Instant?
        /// Paused until then: a graceful end takes this much longer.
        var pausedUntil = ContinuousClock.now
    }

    private struct State {
        var members: [Int: Member] = [:]
        /// The output of all consumers that have ended.
        var output: [String] = []
        /// No consumer crashes at a failpoint.
        var isCalm = false
        var isOver = false
        /// No consumer is started.
        var isResting = false
        /// How many have ended.
        var endings = 0
    }

    private let shop: ChaosShop
    private let journal: ChaosJournal
    private let state = Mutex(State())
    /// Failpoints at which consumers crash. Decoding is excluded: a message that crashes the process there three times,
    /// alone, correctly becomes a dead letter.
    private let failpoints = Failpoint.allCases.filter {
        ![.decodeBefore, .decodeEntry, .decodeAfter, .planAfter].contains($0)
    }
    .map(\.rawValue)

    /// How long a graceful end may take if nothing else is wrong (`ConsumerSettings.stopGrace` and a slow machine).
    private static let stopLimit = Duration.seconds(20)

    init(shop: ChaosShop, journal: ChaosJournal) {
        self.shop = shop
        self.journal = journal
    }

    // MARK: - Running

    /// Keeps one consumer running until `end`.
    func keep(slot: Int, failing: Bool, generator first: SeededGenerator) async throws {
        var generator = first
        while !state.withLock({ $0.isOver }) {
            if state.withLock({ $0.isResting }) {
                try await Task.sleep(for: .milliseconds(10))
                continue
            }
            let process = try start(slot: slot, failing: failing, using: &generator)
            while process.ending == nil {
                try await Task.sleep(for: .milliseconds(10))
                watchMemory(of: process)
                // It started at the moment when all were asked to stop.
                if state.withLock({ $0.isOver || $0.isResting }) { askToStop(slot) }
            }
            // Lets its last output be collected.
            try await process.waitForEnding()
            judge(process, slot: slot)
            if state.withLock({ $0.isOver }) { break }
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...1_000, using: &generator)))
        }
    }

    private func start(slot: Int, failing: Bool, using generator: inout SeededGenerator) throws -> ChildProcess {
        // With small batches it cannot keep up with the publishers on a busy machine, so none while time is measured.
        let batches = state.withLock { $0.isCalm } ? [128, 1_024] : [3, 17, 128, 1_024]
        let batch = batches.randomElement(using: &generator) ?? 128
        var environment = ["STOCKTAKE_LOG_LEVEL": generator.chance(20) ? "trace" : "notice"]
        var failpoint: String?
        if failing, generator.chance(35), !state.withLock({ $0.isCalm }) {
            let passage = generator.chance(40) ? 1 : Int.random(in: 1...40, using: &generator)
            failpoint = failpoints.randomElement(using: &generator).map { "\($0):\(passage)" }
            environment["STOCKTAKE_FAILPOINT"] = failpoint
        }
        let process = try shop.start(
            [
                "consume", "--batch-orders", "\(batch)", "--keep-messages-s", "\(generator.chance(50) ? 3 : 86_400)",
                "--keep-outcomes", "\(ChaosSettings.keepOutcomes)", "--consumer", "chaos-\(slot)",
                "--reconcile-interval-s", "\([1, 2, 5, 10].randomElement(using: &generator) ?? 1)",
            ],
            as: .consumer, environment: environment)
        let fate = failpoint.map { ", dies at \($0)" } ?? ""
        journal.note("consumer \(slot): process \(process.processID), batches of \(batch)\(fate)")
        journal.count("consumers", "started")
        state.withLock { $0.members[slot] = Member(process: process, failpoint: failpoint, isSlow: batch < 100) }
        return process
    }

    private func watchMemory(of process: ChildProcess) {
        guard let status = try? String(contentsOfFile: "/proc/\(process.processID)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return }
        if kibibytes << 10 > ChaosSettings.memoryLimit {
            journal.violation(.bounded, "consumer \(process.processID) has used \(kibibytes) KiB")
        }
    }

    /// Checks whether it ended as it should have.
    private func judge(_ process: ChildProcess, slot: Int) {
        let errors = process.standardError
        let member = state.withLock { state in
            state.output.append(process.standardOutput + errors)
            state.endings += 1
            return state.members.removeValue(forKey: slot)
        }
        guard let member, let ending = process.ending else { return }
        journal.note("consumer \(slot): process \(process.processID) ended: \(ending)")
        let last = errors.split(separator: "\n").suffix(4).reversed().joined(separator: "\n")
        switch ending {
        case .signalled(SIGKILL) where member.killed: break
        case .signalled(SIGKILL) where member.failpoint != nil: journal.fault("failpoint", member.failpoint ?? "")
        case .exited(0) where member.stopAsked != nil:
            let asked = max(member.stopAsked ?? .now, member.pausedUntil)
            let took = ContinuousClock.now - asked
            if took > Self.stopLimit { journal.violation(.gracefulEnd, "process \(process.processID) took \(took)") }
        case .signalled(SIGTERM) where member.stopAsked != nil:
            // Before it had installed its handler for SIGTERM.
            journal.count("consumers", "ended before they were ready")
        case .exited(let status): journal.violation(.exitStatus, "consumer exited \(status): \(last)")
        case .signalled(let signal): journal.violation(.noCrash, "consumer died of signal \(signal): \(last)")
        }
    }

    // MARK: - Faults

    /// The process that holds the store's lock, if it belongs to this fleet.
    private func active() -> Int? {
        let holder = (try? String(contentsOfFile: shop.ledger + ".lock", encoding: .utf8)) ?? ""
        let number = Int32(holder.prefix { $0.isNumber })
        return state.withLock { state in state.members.first { $0.value.process.processID == number }?.key }
    }

    /// Usually the active consumer's slot, otherwise any.
    func choose(using generator: inout SeededGenerator) -> Int? {
        let slots = state.withLock { $0.members.keys.sorted() }
        let any = slots.randomElement(using: &generator)
        return generator.chance(75) ? active() ?? any : any
    }

    func kill(_ slot: Int) {
        signal(slot, SIGKILL) { $0.killed = true }
    }

    func killAll() {
        for slot in state.withLock({ Array($0.members.keys) }) { kill(slot) }
    }

    func askToStop(_ slot: Int) {
        let isAsked = state.withLock { $0.members[slot]?.stopAsked != nil }
        if !isAsked { signal(slot, SIGTERM) { $0.stopAsked = .now } }
    }

    func pause(_ slot: Int, for duration: Duration) async throws {
        signal(slot, SIGSTOP) { $0.pausedUntil = .now + duration }
        try? await Task.sleep(for: duration)
        signal(slot, SIGCONT) { _ in }
    }

    private func signal(_ slot: Int, _ number: Int32, _ note: (inout Member) -> Void) {
        state.withLock { state in
            guard var member = state.members[slot], member.process.ending == nil else { return }
            note(&member)
            state.members[slot] = member
            member.process.signal(number)
        }
    }

    /// Sends SIGSTOP to all, until `goOn`.
    func pauseAll() {
        for slot in state.withLock({ Array($0.members.keys) }) { signal(slot, SIGSTOP) { _ in } }
    }

    func goOn() {
        for slot in state.withLock({ Array($0.members.keys) }) { signal(slot, SIGCONT) { $0.pausedUntil = .now } }
    }

    // MARK: - Calm

    /// From now on no consumer crashes at a failpoint or is slow: those that would are replaced, and so is the active
    /// one, whose successor opens an epoch that is unaffected by earlier edits of the counters.
    func calm() {
        let doomed = state.withLock { state in
            state.isCalm = true
            return state.members.filter { $0.value.failpoint != nil || $0.value.isSlow }.map(\.key)
        }
        for slot in Set(doomed + [active()].compactMap { $0 }) { kill(slot) }
    }

    /// Allows failpoints again.
    func endCalm() { state.withLock { $0.isCalm = false } }

    /// Ends all consumers gracefully, and starts none until `resume`.
    func rest() async throws {
        state.withLock { $0.isResting = true }
        for slot in state.withLock({ Array($0.members.keys) }) { askToStop(slot) }
        try await eventually(within: .seconds(60), "the consumers to end") { state.withLock { $0.members.isEmpty } }
    }

    func resume() { state.withLock { $0.isResting = false } }

    /// The active consumer, and the number that have ended so far; `nil` while not all of them run, or none is active.
    func standing() -> (active: Int32, endings: Int)? {
        guard let slot = active() else { return nil }
        return state.withLock { state in
            let members = state.members.values
            guard members.count == ChaosSettings.consumers, let active = state.members[slot],
                members.allSatisfy({ $0.process.ending == nil && !$0.killed && $0.stopAsked == nil })
            else { return nil }
            return (active.process.processID, state.endings)
        }
    }

    // MARK: - The end

    /// Ends all consumers gracefully.
    func stop() {
        state.withLock { $0.isOver = true }
        for slot in state.withLock({ Array($0.members.keys) }) { askToStop(slot) }
    }

    /// The output of all consumers, including running ones.
    var transcripts: [String] {
        state.withLock { state in
            state.output + state.members.values.map { $0.process.standardOutput + $0.process.standardError }
        }
    }
}
