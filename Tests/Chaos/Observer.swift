import Foundation
import RedisClient
import TestSupport

/// Checks the shop during the faults: the invariants that must hold at every moment, not only at the end.
struct Observer {
    let shop: ChaosShop
    let history: SentHistory
    let catalogues: Catalogues
    let acknowledgements: Acknowledgements
    let journal: ChaosJournal

    private static let interval = Duration.milliseconds(150)
    /// Rounds between two runs of a subcommand.
    private static let commandEvery = 15
    init(
        shop: ChaosShop, history: SentHistory, catalogues: Catalogues, acknowledgements: Acknowledgements,
        journal: ChaosJournal
    ) {
        self.shop = shop
        self.history = history
        self.catalogues = catalogues
        self.acknowledgements = acknowledgements
        self.journal = journal
    }

    func observe() async throws {
        let client = shop.redis.client()
        var last = LedgerRows.Head(epoch: 0, seq: 0, position: 0, catalogueVersion: 0)
        var round = 0
        while !Task.isCancelled {
            round += 1
            if let head = checkLedger(after: last) {
                last = head
                journal.count("samples", "ledger")
            }
            // Redis may be unavailable.
            if let entries = try? await acknowledgements.check(shop, client, history, journal) {
                journal.count("samples", "acknowledged entries", entries)
            }
            if round % Self.commandEvery == 0 {
                do {
                    try await runCommands(round / Self.commandEvery)
                } catch let error as TestSupportError {
                    journal.violation(.noCrash, error.description)
                } catch is CancellationError {
                    break
                }
            }
            do { try await Task.sleep(for: Self.interval) } catch { break }
        }
        await client.close()
    }

    private func checkLedger(after last: LedgerRows.Head) -> LedgerRows.Head? {
        guard let (head, figures) = try? shop.rows.read({ (try LedgerRows.head($0), try LedgerRows.figures($0)) })
        else { return nil }
        if head.epoch < last.epoch { journal.violation(.epochsRise, "epoch \(head.epoch) after \(last.epoch)") }
        if head.seq < last.seq { journal.violation(.seqRises, "seq \(head.seq) after \(last.seq)") }
        if head.catalogueVersion < last.catalogueVersion {
            journal.violation(.epochsRise, "catalogue \(head.catalogueVersion) after \(last.catalogueVersion)")
        }
        for (id, figure) in figures {
            if let cap = catalogues.largestCap(of: id), figure.sold - figure.adjusted > cap {
                journal.violation(.withinCap, "\(figure.sold) sold of \(id), whose cap was never above \(cap)")
            }
        }
        return head
    }

    private func runCommands(_ turn: Int) async throws {
        let started = Date()
        if turn % 2 == 0 {
            let check = try await shop.run(["ledger", "check"])
            journal.count("samples", "ledger check exited \(check.status)")
            // 2: it could not be read, for instance because of a full disk.
            if check.status == 1 { journal.violation(.soundLedger, "ledger check: \(check.output)\(check.errors)") }
        } else {
            let drift = try await shop.run(["reconcile"])
            journal.count("samples", "reconcile exited \(drift.status)")
            if drift.status == 1, !journal.mayDrift(from: started, to: Date()) {
                journal.violation(.noDrift, "reconcile: \(drift.output)\(drift.errors)")
            }
        }
    }
}
