import Counters
import Ingest
import Domain
import Ledger

/// Decides what the consumer does next: events in, actions out. It has no tasks, no clock, no I/O and no randomness.
/// `ActiveConsumer` executes the actions, each in a separate task, and passes their results back as events.
///
///     read → decode → plan → decide → record → acknowledge
///
/// The stages are pipelined. While batch *n* is recorded, batch *n+1* is decided; up to two recorded batches await
/// acknowledgement; one delivery is decoded while the next one is read. Each stage has its state below, works on at
/// most one batch at a time, and takes batches in the order of the stream.
///
/// Every unexpected state is handled in the same way (`ConsumerStateMachine+epochs.swift`): by a new epoch, in which
/// everything in memory that is not recorded is decided again, in order.
///
/// The type is not copyable: it holds the messages in memory, and an event must not copy them.
struct ConsumerStateMachine: ~Copyable {
    /// The state of the epoch.
    enum Phase {
        /// The counters are installed: every stage runs.
        case active
        /// The epoch ends once deciding and recording have ended. Recorded batches stay; all other entries return to
        /// the queue.
        case closing(EpochReason)
        /// The counters are being installed.
        case opening
        case finished
    }

    enum DecideState {
        case idle
        /// The entries stay at the front of the queue until the decision arrives.
        case inProgress
        /// The first entry depends on the batch that is being recorded.
        case blocked
        /// The batch waits to be recorded.
        case done(DecidedBatch)
    }

    enum RecordState {
        case idle
        case inProgress(DecidedBatch)
    }

    /// A recorded batch whose entries are still pending in Redis. It does not hold the messages themselves, which are
    /// released.
    struct Unacknowledged {
        var entries: [String]
        /// The first outcomes of entries that had been recorded before.
        var repeated: [RecordedOutcome]
        /// Products whose counters changed.
        var changed: [Identifier]
    }

    enum AcknowledgeState {
        case idle
        /// Acknowledges the first waiting batch; or, without a batch, only announces outcomes.
        case inProgress(hasBatch: Bool)
    }

    let settings: ConsumerSettings
    /// The ledger's identity.
    let ledger: String

    var phase = Phase.active
    var epoch: Epoch
    /// The counters' seq after the last decided batch.
    var seq: Int64
    /// The ledger's seq after the last recorded batch of this epoch.
    var recordedSeq: Int64
    /// The number of epochs opened in a row, with no batch recorded and no watch without findings in between.
    var epochsInARow = 1
    /// The number of epochs caused by a batch since a batch was last recorded.
    var epochsWithoutProgress = 0

    var reading = ReadState()
    var undecoded = UndecodedQueue()
    var queue: BatchQueue
    var deciding = DecideState.idle
    var recording = RecordState.idle
    var unacknowledged: [Unacknowledged] = []
    var acknowledging = AcknowledgeState.idle
    var announcing: AnnouncementProgress
    /// The journal rows of the batch that was recorded last.
    var recordedRows = BatchRows.none
    var replays = Replays()
    var chores = Chores()
    var totals = ConsumerTotals()
    var actions: [ConsumerAction] = []

    /// The maximum number of batches that await acknowledgement. The next one is not recorded until there are fewer.
    static let unacknowledgedLimit = 2

    /// - Parameter epoch: the first epoch, which is already open. The reader is connected.
    init(_ settings: ConsumerSettings, ledger: String, epoch: Epoch) {
        self.settings = settings
        self.ledger = ledger
        self.epoch = epoch
        seq = epoch.seq
        recordedSeq = epoch.seq
        announcing = AnnouncementProgress(announced: epoch.announced, recorded: epoch.position)
        queue = BatchQueue(settings.batchLimits)
        totals.epochs = 1
    }

    /// The number of messages that were read and are not decided yet.
    var readAhead: Int { queue.count + undecoded.count }

    /// Whether every message that was read is acknowledged. Messages being decided are still in the queue.
    var isMemoryEmpty: Bool {
        guard undecoded.isEmpty, queue.isEmpty, unacknowledged.isEmpty, case .idle = recording else { return false }
        if case .done = deciding { return false }
        return true
    }

    /// Returns the first actions. Called once.
    mutating func begin(at now: ContinuousClock.Instant) -> [ConsumerAction] {
        chores.due = [.watch, .trim]
        return advance(at: now)
    }

    /// Handles an event, and returns the next actions.
    /// - Parameter now: the time by a monotonic clock.
    mutating func handle(_ event: ConsumerEvent, at now: ContinuousClock.Instant) -> [ConsumerAction] {
        switch event {
        case .delivered(let delivery): delivered(delivery)
        case .readFailed(let failure): readFailed(failure)
        case .connected(let connection): connected(decidingConnection: connection)
        case .leftovers(let pending, let wanted): found(pending: pending, wanted: wanted, at: now)
        case .decoded(let entries): decoded(entries)
        case .decided(let batch): decided(batch)
        case .blocked: blocked()
        case .undecided(let needed): undecided(needed)
        case .recorded(let result): recorded(result)
        case .acknowledged(let epoch, let result): acknowledged(result, sentIn: epoch)
        case .journalRead(let rows, let range): announcing.read(rows, of: range)
        case .epochOpened(let epoch): opened(epoch)
        case .due(let chore): due(chore)
        case .watched(let report): watched(report, at: now)
        case .upkept(let wanted): upkept(wanted, at: now)
        case .trimmed: trimmed()
        case .published(let published): replays.note(published, at: now)
        case .stopRequested: stop()
        }
        return advance(at: now)
    }

    /// Advances every stage as far as possible. The order matters: stages that empty memory come first.
    private mutating func advance(at now: ContinuousClock.Instant) -> [ConsumerAction] {
        startAcknowledging()
        startReadingJournal()
        startRecording()
        openEpochIfClosed()
        startDecoding()
        startChore()
        startDeciding()
        startReading(at: now)
        finishIfDone()
        assertInvariants()
        let all = actions
        actions = []
        return all
    }

    private mutating func finishIfDone() {
        guard case .none = reading.activity, isMemoryEmpty else { return }
        switch (reading.intake, phase) {
        case (.open, _), (_, .finished), (.idle, .closing), (.idle, .opening): return
        case (.idle, .active):
            guard !chores.isBusy, announcing.isComplete, case .idle = acknowledging else { return }
        // Outcomes that are not announced yet are announced after the next start. A stop waits for nothing else,
        // because Redis may be unavailable.
        case (.stopped, _): break
        }
        phase = .finished
        actions.append(.finish)
    }

    private func assertInvariants() {
        assert(unacknowledged.count <= Self.unacknowledgedLimit, "more batches wait to be acknowledged than may")
        if case .blocked = deciding, case .idle = recording {
            assertionFailure("an entry waits for a batch that is not being recorded")
        }
        assert(recordedSeq <= seq, "more is recorded than was decided")
        if case .inProgress(hasBatch: true) = acknowledging {
            assert(!unacknowledged.isEmpty, "nothing is being acknowledged")
        }
        if case .inProgress = deciding {
            assert(!queue.isEmpty, "nothing is being decided")
            assert(chores.inProgress != .watch, "the counters are compared while the gate changes them")
        }
        if case .opening = phase {
            guard case .idle = deciding, case .idle = recording else {
                return assertionFailure("an epoch is opened while a batch is decided or recorded")
            }
        }
    }
}
