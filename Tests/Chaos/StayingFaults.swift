import Foundation
import Randomness
import RedisClient
import TestSupport

/// A fault that lasts for a while, and then ends. Nothing else is broken in the meantime; publishers continue, so that
/// a backlog grows. Afterwards everything must recover by itself, within a limit, without a restart.
struct StayingFaults {
    let shop: ChaosShop
    let journal: ChaosJournal
    let fleet: ConsumerFleet
    let history: SentHistory
    let traffic: Traffic
    var generator: SeededGenerator
    /// The number of strangers so far.
    var strangers = 0

    /// The raw values appear in the report.
    enum Kind: String, CaseIterable, Sendable {
        case stopped = "redis stopped for long"
        case down = "redis down for long"
        case full = "redis filled by the backlog"
        case readOnly = "redis read-only for long"
        case right = "right taken away for long"
        case locked = "ledger locked for long"
        case diskFull = "disk full for long"
        case refused = "connections refused for long"
        case hanging = "connections hang for long"
        case stranger = "stranger reads in the group"

        /// No command can be recorded while it lasts; a batch of only dead letters needs no Redis. A full disk still
        /// has the space that the ledger's log occupies; a right may not be needed until later; a full Redis must be
        /// drained.
        var stopsRecording: Bool {
            switch self {
            case .stopped, .down, .readOnly, .locked, .refused, .hanging: true
            case .full, .right, .diskFull, .stranger: false
            }
        }
    }

    /// Rights without which a consumer cannot continue.
    private static let rights = ["evalsha", "xreadgroup", "hmget", "hset", "xack"]

    static let heading = "FAULTS THAT STAYED"
    static let returnHeading = "BACK AFTER, IN MS, AT MOST"

    /// How long before its end the run checks that the fault has stopped what it was to stop.
    private static let margin = Duration.milliseconds(500)

    mutating func run(_ kind: Kind, for time: Duration) async throws {
        if kind == .diskFull, shop.disk == nil { return }
        guard let before = fleet.standing() else {
            return journal.violation(.chaos, "\(kind.rawValue): the consumers were not all running before it")
        }
        // In production a publisher's patience is longer than this; resent messages would only be work.
        try await traffic.close(.again)
        journal.note("stays: \(kind.rawValue), \(time)")
        // Work in progress at its start may still be completed.
        let later = Task { [shop] in
            try await Task.sleep(for: time / 2)
            let before = try shop.rows.read(LedgerRows.commands)
            try await Task.sleep(for: time / 2 - Self.margin)
            return try shop.rows.read(LedgerRows.commands) - before
        }
        try await commit(kind, for: time)
        traffic.open(.again)
        // `nil`: the ledger could not be read.
        let recorded = (try? await later.value) ?? 0
        if kind.stopsRecording, recorded > 0 {
            journal.violation(.chaos, "\(kind.rawValue): \(recorded) commands were recorded during it")
        }
        journal.count(Self.heading, kind.rawValue)
        journal.note("is over: \(kind.rawValue)")
        try await waitForReturn(kind)
        guard let after = fleet.standing(), after == before else {
            return journal.violation(
                .everythingFinishes,
                "\(kind.rawValue): consumers were \(before), and are \(fleet.standing().map { "\($0)" } ?? "gone")")
        }
    }

    private mutating func commit(_ kind: Kind, for time: Duration) async throws {
        switch kind {
        case .stopped:
            shop.redis.signal(SIGSTOP)
            try? await Task.sleep(for: time)
            shop.redis.signal(SIGCONT)
        case .down:
            await shop.redis.kill()
            try? await Task.sleep(for: time)
            try await shop.redis.restart()
        case .readOnly:
            try await shop.redis.command("REPLICAOF", "127.0.0.1", "1")
            try? await Task.sleep(for: time)
            try await shop.redis.command("REPLICAOF", "NO", "ONE")
        case .right:
            let right = Self.rights.randomElement(using: &generator) ?? "evalsha"
            journal.note("the right is \(right)")
            try await shop.redis.command("ACL", "SETUSER", ChaosShop.user, "-\(right)")
            try? await Task.sleep(for: time)
            try await shop.redis.command("ACL", "SETUSER", ChaosShop.user, "+\(right)")
        case .locked:
            try await shop.lockLedger(for: time)
        case .diskFull:
            await shop.disk?.keepFull(for: time)
        case .refused:
            for proxy in [shop.proxy, shop.readersProxy] {
                proxy.refuse(for: time)
                proxy.commit(.cut)
            }
            try? await Task.sleep(for: time)
        case .hanging:
            for proxy in [shop.proxy, shop.readersProxy] { proxy.hang(for: time) }
            try? await Task.sleep(for: time)
        case .full: try await fillMemory(time)
        case .stranger: try await letStrangerRead(time)
        }
    }

    /// Waits until everything is recorded that Redis had accepted when the fault ended, and what it accepts next.
    private func waitForReturn(_ kind: Kind) async throws {
        let limit = ChaosSettings.returnLimit
        let start = ContinuousClock.now
        var waiting = history.accepted
        func taken() -> Int { journal.counts("taken by Redis")["messages"] ?? 0 }
        let before = taken()
        var isTaking = false
        func left() -> Int { history.unrecordedCount(of: waiting) }
        do {
            try await eventually(within: limit, "the return") {
                if !isTaking, taken() > before {
                    isTaking = true
                    waiting.formUnion(history.accepted)
                }
                try? history.look(at: shop.rows)
                return isTaking && left() == 0
            }
            journal.longest(Self.returnHeading, kind.rawValue, ContinuousClock.now - start)
        } catch is TestSupportError {
            journal.violation(
                .everythingFinishes,
                "\(kind.rawValue): \(limit) after its end \(left()) messages are not recorded"
                    + (isTaking ? "" : ", and Redis takes no new ones"))
        }
        if kind == .full { try await shop.redis.command("CONFIG", "SET", "maxmemory", "0") }
    }

    // MARK: - A full Redis

    /// Space that is left for the backlog, in bytes.
    private static let room = 120_000

    /// The backlog itself fills Redis while the consumers are paused, and only they make room.
    private func fillMemory(_ time: Duration) async throws {
        let text = try await shop.redis.command("INFO", "memory").string ?? ""
        let used = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
            .flatMap { Int($0.dropFirst("used_memory:".count)) }
        guard let used else { throw TestSupportError("Redis does not tell its memory") }
        let end = ContinuousClock.now + time
        func refusals() -> Int { journal.counts("refused by Redis")["OOM"] ?? 0 }
        let before = refusals()
        fleet.pauseAll()
        try await shop.redis.command("CONFIG", "SET", "maxmemory", "\(used + Self.room)")
        do {
            try await eventually(within: .seconds(120), "the backlog to fill Redis") { refusals() > before }
        } catch let error as TestSupportError {
            journal.violation(.chaos, "\(error)")
        }
        try? await ContinuousClock().sleep(until: end)
        fleet.goOn()
    }
}
