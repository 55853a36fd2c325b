import Counters
import Intake
import Inventory
import Ledger

/// What is done again and again, one thing at a time.
extension ConsumerStateMachine {
    struct Chores {
        var due: Set<Chore> = []
        var underWay: Chore?
        var strays = StrayEntries()
    }

    mutating func startChore() {
        guard case .active = phase, chores.underWay == nil else { return }
        // While the gate decides, Redis may be further than we know.
        if chores.due.contains(.watch), !isDeciding {
            start(.watch)
            actions.append(.watch(epoch: epoch.number))
        } else if chores.due.contains(.trim) {
            start(.trim)
            actions.append(.trim)
        }
    }

    private var isDeciding: Bool {
        if case .underWay = deciding { true } else { false }
    }

    private mutating func start(_ chore: Chore) {
        chores.due.remove(chore)
        chores.underWay = chore
    }

    /// - Parameter next: what is due again after its time; nil: it goes on.
    mutating func end(_ chore: Chore, next: Chore?) {
        assert(chores.underWay == chore, "another chore is under way")
        chores.underWay = nil
        if let next { actions.append(.wait(for: next)) }
    }

    mutating func watched(_ report: WatchReport, at now: ContinuousClock.Instant) {
        // In an epoch that has ended meanwhile the rest means nothing.
        guard case .active = phase, report.epoch == epoch.number, case .allIsWell = compare(report) else {
            return end(.watch, next: .watch)
        }
        epochsInARow = 0
        if let pending = report.pending { lookForStrayEntries(pending, at: now) }
        end(.watch, next: nil)
        chores.underWay = .upkeep
        actions.append(.upkeep(isRedisFull: report.isRedisFull))
    }

    private enum Finding {
        case allIsWell
        case redisIsAway
        case epochNeeded
    }

    /// Is the ledger at our epoch and catalogue; is Redis in the state we left it?
    private mutating func compare(_ report: WatchReport) -> Finding {
        if report.ledger.catalogueVersion != epoch.catalogue.version {
            need(EpochNeeded(.outage, "catalogue version \(report.ledger.catalogueVersion)"))
            return .epochNeeded
        }
        if report.ledger.epoch != epoch.number {
            need(EpochNeeded(.outage, "the ledger is at epoch \(report.ledger.epoch)"))
            return .epochNeeded
        }
        // A Redis that is away is waited for by those who need it.
        guard let counters = report.counters else { return .redisIsAway }
        if counters.ledger != ledger || counters.epoch != epoch.number || counters.seq != seq {
            // Once a second at most, and about no batch: it may happen as often as it likes.
            need(EpochNeeded(.outage, "the counters were changed or lost", memory: .doubtful))
            return .epochNeeded
        }
        return .allIsWell
    }

    /// Entries that are pending but were lost on their way to this process are claimed.
    private mutating func lookForStrayEntries(_ pending: PendingSummary, at now: ContinuousClock.Instant) {
        // A read that takes long may be bringing it.
        if case .reading(let start) = reading.activity, now - start > settings.block + .seconds(1) { return }
        let isStray = chores.strays.look(pending: pending.lowest, memory: lowestInMemory, at: now)
        guard isStray, let lowest = pending.lowest else { return }
        actions.append(.report(.stray(lowest)))
        reading.claim()
    }

    mutating func upkept(_ wanted: [WantedReplay], at now: ContinuousClock.Instant) {
        end(.upkeep, next: .watch)
        publish(wanted, at: now)
    }

    mutating func publish(_ wanted: [WantedReplay], at now: ContinuousClock.Instant) {
        let due = replays.due(wanted, at: now)
        if !due.isEmpty { actions.append(.publish(due, isQueueEmpty: isQueueEmpty)) }
    }
}
