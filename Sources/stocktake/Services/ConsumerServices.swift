import CMalloc
import Consumer
import Counters
import Domain
import Glibc
import Ledger
import Logging
import Reconciliation
import TextEncodings

/// Configures malloc to keep the memory that a batch frees: the next batch allocates it again.
func setUpMalloc() {
    // One arena per thread, each with its own fragmentation, would take 10 % more memory; a single arena, 10 % more
    // time.
    mallopt(M_ARENA_MAX, 2)
    // The system zeroes memory that is returned to it and requested again for every batch.
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 32 << 20)
    mallopt(M_TOP_PAD, 4 << 20)
}

/// The consumer of a process, with the comparison of counters and ledger that runs beside it.
func consumerService(_ settings: Settings, untilIdle: Bool) -> ConsumerService {
    var consumer = settings.consumer
    consumer.untilIdle = untilIdle
    var service = ConsumerService(
        settings: consumer, ledger: settings.ledger, store: settings.store, redisURL: settings.redis,
        redisOptions: settings.redisOptions, logger: settings.logger()
    ) { status in
        switch status {
        case .standingBy(let holder):
            say(
                "standing by: \(holder.map { "process \($0)" } ?? "another process") consumes store \(settings.store)")
        case .active(let epoch, let seq):
            say(
                "consuming store \(settings.store) from \(settings.redis.redacted): epoch \(epoch), seq \(seq), process \(getpid())"
            )
        case .stopped(let totals):
            say(
                "stopped: \(totals[.accepted].grouped) accepted, \(totals[.refused].grouped) refused, \(totals.changes)\(totals[.deadLetter].counted("dead letter")), \(totals.replays.counted("replay"))"
            )
        }
    }
    if let interval = settings.reconcileInterval {
        service.companion = { await reconcile(settings, every: interval) }
    }
    return service
}

/// Compares counters and ledger periodically until cancelled, over separate connections: the consumer's must not wait
/// for a comparison.
private func reconcile(_ settings: Settings, every interval: Duration) async {
    let ledger: any LedgerAdmin
    do {
        ledger = try await settings.ledger.openAdmin(settings.store)
    } catch {
        return settings.logger().error("counters and ledger are not compared", metadata: ["error": "\(error)"])
    }
    defer { try? ledger.close() }
    // The consumer already logs what it cannot reach.
    let client = settings.client()
    let reconciler = Reconciler(
        ledger: ledger, counters: CounterReader(keys: settings.keys, client: client), redis: settings.redis.redacted)
    await PeriodicReconciler(reconciler, repairing: ledger, every: interval, logger: settings.logger()).run()
    await client.close()
}

extension ConsumerTotals {
    /// The counts of changes other than orders, each followed by a comma.
    fileprivate var changes: String {
        Command.Kind.allCases.filter { $0 != .placeOrder && self[$0.outcome] > 0 }
            .map { "\(self[$0.outcome].grouped) \($0.outcome.rawValue), " }.joined()
    }
}
