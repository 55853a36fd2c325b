import Foundation
import GRDB
import Randomness
import Synchronization
import TestSupport

/// An operator's actions while the shop sells, with the real command. An action may fail, for instance while Redis is
/// unavailable or the ledger locked; then it changed nothing, or is repeated.
struct OperatorDeeds: Lane {
    let shop: ChaosShop
    let journal: ChaosJournal
    let history: SentHistory
    let records: OperatorRecords
    let without: Set<String>
    var generator: SeededGenerator
    private var number = 0

    enum Kind: String, CaseIterable {
        case backup = "ledger backup"
        case replay = "dead-letters replay"
        case discard = "dead-letters discard"
        case erase = "orders erase"
        case adjust = "stock adjust"
    }

    static let heading = "OPERATOR"

    init(
        shop: ChaosShop, journal: ChaosJournal, history: SentHistory, records: OperatorRecords, without: Set<String>,
        generator: SeededGenerator
    ) {
        self.shop = shop
        self.journal = journal
        self.history = history
        self.records = records
        self.without = without
        self.generator = generator
    }

    mutating func run(_ rhythm: Rhythm) async throws {
        while try await rhythm.turn(of: .people) {
            let possible = Kind.allCases.filter { !without.contains($0.rawValue) }
            let done = journal.counts(Self.heading)
            // Usually the least frequent action: each takes a process' time.
            let rarest = possible.shuffled(using: &generator).min {
                done[$0.rawValue, default: 0] < done[$1.rawValue, default: 0]
            }
            if let kind = generator.chance(50) ? rarest : possible.randomElement(using: &generator) {
                try await commit(kind)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...500, using: &generator)))
        }
    }

    private mutating func commit(_ kind: Kind) async throws {
        number += 1
        switch kind {
        case .backup: try await backUp()
        case .replay: try await replay()
        case .discard: try await discard()
        case .erase: try await erase()
        case .adjust: try await adjust()
        }
    }

    /// - Returns: Whether it succeeded.
    private func perform(_ kind: Kind, _ arguments: [String]) async throws -> Bool {
        let result = try await shop.run(arguments)
        let text = (result.output + result.errors).split(separator: "\n").first.map(String.init) ?? ""
        journal.note("operator: \(arguments.joined(separator: " ")): exit \(result.status): \(text)")
        journal.count(Self.heading, result.status == 0 ? kind.rawValue : "\(kind.rawValue) exited \(result.status)")
        if ![0, 1, 2].contains(result.status) {
            journal.violation(.exitStatus, "\(arguments) exited \(result.status): \(result.errors)")
        }
        return result.status == 0
    }

    // MARK: - Actions

    private func backUp() async throws {
        let file = shop.folder.path(of: "backup-\(number).sqlite")
        guard try await perform(.backup, ["ledger", "backup", file]) else { return }
        let check = try await shop.run(["ledger", "check"], environment: ["STOCKTAKE_LEDGER": file])
        if check.status != 0 {
            journal.violation(.soundLedger, "a backup is not sound: \(check.output)\(check.errors)")
        } else {
            try FileManager.default.removeItem(atPath: file)
        }
    }

    private mutating func replay() async throws {
        let letters = try choose("status = 'open' AND is_whole")
        if letters.isEmpty { return }
        // Noted first: it may succeed although the command reports a failure.
        records.noteReplayed(letters.map(\.entryID))
        _ = try await perform(.replay, ["dead-letters", "replay"] + letters.map { "\($0.number)" })
    }

    private mutating func discard() async throws {
        // Their content must be known, so that they can be judged later.
        let letters = try choose("status IN ('open', 'replayed')").filter { history.knows(letter: $0.fingerprint) }
        if letters.isEmpty { return }
        _ = try await perform(.discard, ["dead-letters", "discard", "--yes"] + letters.map { "\($0.number)" })
    }

    private typealias Letter = (number: Int64, entryID: String, fingerprint: Data)

    /// Up to three dead letters that match the condition.
    private mutating func choose(_ condition: String) throws -> [Letter] {
        let letters: [Letter] =
            (try? shop.rows.read { db in
                try Row.fetchAll(
                    db,
                    sql:
                        "SELECT id, entry_id, fingerprint FROM dead_letters WHERE \(condition) ORDER BY id DESC LIMIT 300"
                ).map { ($0[0], $0[1], $0[2]) }
            }) ?? []
        return Array(letters.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
    }

    private mutating func erase() async throws {
        // Only orders whose publishers resend: a dead letter with the order's id that is removed before it was checked
        // has no record.
        let ids: [String] =
            (try? shop.rows.read { db in
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT id FROM orders WHERE id GLOB '[ab]-*' AND erased_at IS NULL ORDER BY number DESC LIMIT 300
                        """)
            }) ?? []
        let chosen = Array(ids.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
        if chosen.isEmpty { return }
        if try await perform(.erase, ["orders", "erase", "--yes"] + chosen) { records.noteErased(chosen) }
    }

    private mutating func adjust() async throws {
        let units = Int.random(in: 1...5, using: &generator)
        let variant = generator.chance(50) ? "BLACK" : nil
        let adjustment = Message.Adjustment(
            id: "op-\(number)", product: variant == nil ? Assortment.plenty : Assortment.mainstay, variant: variant,
            units: units)
        // Like any message it is resent while it has no record, no matter by which process.
        history.sending([MessageMaker.message(adjustment, kind: "operator's adjustment")], repeats: true)
        var arguments = ["stock", "adjust", adjustment.product] + [variant].compactMap { $0 }
        arguments += ["--sold", "+\(units)", "--reason", MessageMaker.adjustmentReason, "--id", adjustment.id]
        _ = try await perform(.adjust, arguments)
    }
}

/// The operator's actions that affect outcomes.
final class OperatorRecords: Sendable {
    private let state = Mutex((replayed: Set<String>(), erased: Set<String>()))

    /// Entries of dead letters that were to be republished.
    var replayed: Set<String> { state.withLock { $0.replayed } }
    /// Orders that are erased.
    var erased: Set<String> { state.withLock { $0.erased } }

    func noteReplayed(_ entries: [String]) { state.withLock { $0.replayed.formUnion(entries) } }

    func noteErased(_ orders: [String]) { state.withLock { $0.erased.formUnion(orders) } }
}
