import Counters
import Ingest
import Domain
import Ledger

/// Recurring work, one job at a time.
extension ConsumerStateMachine {
    struct Chores {
        enum Work {
            case watch
            case upkeep
            case trim
        }

        var due: Set<Chore> = []
        /// Chores whose interval has not passed yet; each has one pending `wait` action.
        var awaited: Set<Chore> = []
        var inProgress: Work?
        var strays = StrayEntries()

        var isBusy: Bool { inProgress != nil || !due.isEmpty }
    }

    mutating func startChore() {
        guard case .active = phase, chores.inProgress == nil else { return }
        // While the gate decides, Redis may be ahead of this state.
        if chores.due.contains(.watch), !isDeciding {
            chores.due.remove(.watch)
            chores.inProgress = .watch
            actions.append(.watch(epoch: epoch.number))
        } else if chores.due.contains(.trim) {
            chores.due.remove(.trim)
            chores.inProgress = .trim
            actions.append(.trim)
        }
    }

    private var isDeciding: Bool {
        if case .inProgress = deciding { true } else { false }
    }

    private mutating func end(_ work: Chores.Work) {
        assert(chores.inProgress == work, "something else is under way")
        chores.inProgress = nil
    }

    mutating func due(_ chore: Chore) {
        chores.awaited.remove(chore)
        chores.due.insert(chore)
    }

    private mutating func wait(for chore: Chore) {
        if chores.awaited.insert(chore).inserted { actions.append(.wait(for: chore)) }
    }

    mutating func trimmed() {
        end(.trim)
        wait(for: .trim)
    }

    mutating func watched(_ report: WatchReport, at now: ContinuousClock.Instant) {
        end(.watch)
        guard report.epoch == epoch.number, case .active = phase else {
            // In an epoch that is ending, only a data loss in Redis matters; in an epoch that has ended, nothing does.
            if report.epoch == epoch.number, haveCountersChanged(report), !isNextInstallation(report) {
                reading.distrustMemory()
            }
            return wait(for: .watch)
        }
        guard case .isHealthy = compare(report) else { return wait(for: .watch) }
        epochsInARow = 0
        announcing.check(found: report.counters?.announced)
        if let pending = report.pending { findStrayEntries(pending, at: now) }
        chores.inProgress = .upkeep
        actions.append(.upkeep(isRedisFull: report.isRedisFull))
    }

    private enum Finding {
        case isHealthy
        case redisUnavailable
        case epochNeeded
    }

    /// Checks that the ledger is at this epoch and catalogue version, and that Redis is in the state in which this
    /// process left it.
    private mutating func compare(_ report: WatchReport) -> Finding {
        let areCountersChanged = haveCountersChanged(report)
        // Whatever else has happened, a Redis that has lost its counters may have lost messages.
        let memory = areCountersChanged ? EpochReason.Memory.doubtful : .trusted
        // These reasons occur at most once a second and are not caused by a batch, so their number is not limited.
        if report.ledger.catalogueVersion != epoch.catalogue.version {
            need(EpochReason(.outage, "catalogue version \(report.ledger.catalogueVersion)", memory: memory))
        } else if report.ledger.epoch != epoch.number {
            need(EpochReason(.outage, "the ledger is at epoch \(report.ledger.epoch)", memory: memory))
        } else if areCountersChanged {
            need(EpochReason(.outage, "the counters were changed or lost", memory: memory))
        } else {
            // If Redis is unavailable, each stage that needs it waits for it separately.
            return report.counters == nil ? .redisUnavailable : .isHealthy
        }
        return .epochNeeded
    }

    private func haveCountersChanged(_ report: WatchReport) -> Bool {
        report.counters.map { $0.ledger != ledger || $0.epoch != epoch.number || $0.seq != seq } ?? false
    }

    /// Whether the counters may be those of the epoch that is being opened.
    private func isNextInstallation(_ report: WatchReport) -> Bool {
        guard case .opening = phase, let counters = report.counters else { return false }
        return counters.ledger == ledger && (counters.epoch ?? 0) > epoch.number
    }

    /// Claims entries that are pending but were lost in transit to this process.
    private mutating func findStrayEntries(_ pending: PendingSummary, at now: ContinuousClock.Instant) {
        // A slow read may be about to deliver the entry.
        if case .reading(let start) = reading.activity, now - start > settings.block + .seconds(1) { return }
        let isStray = chores.strays.check(pending: pending.lowest, memory: lowestInMemory, at: now)
        guard isStray, let lowest = pending.lowest else { return }
        actions.append(.report(.stray(lowest)))
        reading.claim()
    }

    mutating func upkept(_ wanted: [RequestedReplay], at now: ContinuousClock.Instant) {
        end(.upkeep)
        wait(for: .watch)
        publish(wanted, at: now)
    }

    mutating func publish(_ wanted: [RequestedReplay], at now: ContinuousClock.Instant) {
        let due = replays.due(wanted, at: now)
        if due.isEmpty { return }
        reading.resume()
        actions.append(.publish(due))
    }
}
