import Foundation
import TestSupport

/// Operators' tasks for which the consumers have to be stopped.
struct ClosedShop {
    let shop: ChaosShop
    let journal: ChaosJournal
    let fleet: ConsumerFleet
    let history: SentHistory
    let announcements: Announcements
    let traffic: Traffic
    let shopfront: Shopfront

    enum Kind: String, CaseIterable, Sendable {
        case adopt = "ledger adopt"
        case restore = "ledger restore"
    }

    /// Adopts the ledger that Redis already follows, so that the stream is read from its beginning.
    func adopt() async throws {
        try await fleet.rest()
        try await perform(["ledger", "adopt", "--yes"])
        fleet.resume()
        journal.count(OperatorDeeds.heading, Kind.adopt.rawValue)
    }

    private static let attempts = 20

    // MARK: - Restoring

    /// Sells for a while after a backup, then restores the backup.
    ///
    /// Decisions since the backup are lost, although they were announced. Messages that are still in the stream are
    /// decided again, perhaps differently; publishers must resend the others. To keep the two apart, publishers pause
    /// in the meantime.
    /// - Parameter judge: Called when everything is decided, before the ledger is replaced.
    func restore(after time: Duration, judge: (LedgerContents) async throws -> Void) async throws {
        let backup = shop.folder.path(of: "backup.sqlite")
        guard try await perform(["ledger", "backup", backup]) != nil else { return }
        try? await Task.sleep(for: time)
        try await traffic.close(.ordinary)
        defer { traffic.open(.ordinary) }
        traffic.isHurried = true
        try await waitUntilDone("everything sent to be processed") { history.unrecordedCount == 0 }
        traffic.isHurried = false
        try await traffic.close(.again)
        defer { traffic.open(.again) }
        try await fleet.rest()
        try await shopfront.rest()
        let before = try LedgerContents(shop.rows)
        try await judge(before)

        defer {
            fleet.resume()
            shopfront.resume()
        }
        guard let said = try await perform(["ledger", "restore", backup, "--yes"], again: "has it open") else { return }
        try FileManager.default.removeItem(atPath: backup)
        let after = try LedgerContents(shop.rows)
        let lost = before.announcements.count - after.announcements.count
        journal.note("restored: \(lost) records are lost")
        try history.startOver(with: shop.rows)
        announcements.keep(Set(after.announcements))
        fleet.resume()
        shopfront.resume()
        try await waitUntilDone("the stream's messages to be decided again") { true }
        try history.look(at: shop.rows)
        let missing = history.unrecordedCount
        if said.contains("holds everything since the backup"), missing > 0 {
            journal.violation(.nothingLost, "\(missing) messages are missing, and restoring said: \(said)")
        }
        journal.count(OperatorDeeds.heading, Kind.restore.rawValue)
        journal.count(OperatorDeeds.heading, "records decided again", max(lost - missing, 0))
        journal.count(OperatorDeeds.heading, "messages missing from the stream", missing)
    }

    private func waitUntilDone(_ what: String, _ condition: () -> Bool) async throws {
        do {
            try await eventually(within: ChaosSettings.quietLimit, what) {
                guard condition(), let waiting = try? await shop.unfinished() else { return false }
                return waiting == 0
            }
        } catch let error as TestSupportError {
            journal.violation(.everythingFinishes, "\(error)")
        }
    }

    /// - Parameter again: The error after which to retry, because another process has the ledger open.
    @discardableResult
    private func perform(_ arguments: [String], again: String? = nil) async throws -> String? {
        var result = try await shop.run(arguments)
        var attempts = 1
        while let again, result.status == 1, result.errors.contains(again), attempts < Self.attempts {
            try await Task.sleep(for: .milliseconds(100))
            result = try await shop.run(arguments)
            attempts += 1
        }
        let text = result.output + result.errors
        journal.note("operator: \(arguments.joined(separator: " ")): exit \(result.status): \(text)")
        if result.status != 0 {
            journal.violation(.exitStatus, "\(arguments) exited \(result.status): \(text)")
            return nil
        }
        return text
    }
}
