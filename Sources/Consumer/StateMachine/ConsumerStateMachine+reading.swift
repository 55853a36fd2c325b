import Ingest
import Domain
import Ledger

extension ConsumerStateMachine {
    struct ReadState {
        enum Activity {
            case none
            case reading(since: ContinuousClock.Instant)
            case connecting
            /// Checks for pending entries, because the last read was empty and memory is empty.
            case checking
        }

        /// What to read next.
        enum Next {
            case new
            /// Entries may be pending that are not in memory; they are claimed once memory is empty.
            case claim
            /// Reading has failed. The reader reconnects once memory is empty, so that everything in memory was read
            /// over one connection: once a connection has closed, Redis may assign an id that is in memory to another
            /// message.
            case connect(afterLoss: Bool)
        }

        /// How much the last read returned, compared with its limit.
        enum Pace {
            /// The read returned nothing.
            case drained
            case keepingUp
            /// The read returned as many entries as its limit allows.
            case behind
        }

        enum Intake {
            case open
            /// Nothing is left, and nothing more is read.
            case idle
            /// Nothing more is read, even if messages are left.
            case stopped
        }

        var activity = Activity.none
        var next = Next.new
        var pace = Pace.keepingUp
        var intake = Intake.open
        /// Doubtful messages are not acknowledged: they are claimed again, found to be recorded, and then acknowledged.
        var memory = EpochReason.Memory.trusted
        /// The number of connection attempts since the last successful read.
        var attempts = 0

        /// Makes the next read claim pending entries. Reconnecting does that anyway.
        mutating func claim() {
            if case .new = next { next = .claim }
            resume()
        }

        mutating func distrustMemory() {
            memory = .doubtful
            claim()
        }

        /// Resumes reading if the intake was idle (`untilIdle`), because something is left after all.
        mutating func resume() {
            if case .idle = intake { intake = .open }
        }
    }

    mutating func startReading(at now: ContinuousClock.Instant) {
        // At most two batches are read ahead, one of which is being decided. One read may exceed the limit.
        guard case .active = phase, case .open = reading.intake, case .none = reading.activity,
            readAhead < 2 * settings.batchOrders, queue.bytes + undecoded.bytes < settings.queueBytes
        else { return }
        // Messages that arrive while a batch is being decided are read together afterwards; nothing needs them sooner.
        // Only a backlog is read continuously.
        if case .inProgress = deciding, reading.pace != .behind { return }
        // With `untilIdle`, reads do not block: after an empty read, the next one would follow immediately.
        if settings.untilIdle, reading.pace == .drained, !isMemoryEmpty { return }
        switch reading.next {
        case .connect:
            guard isMemoryEmpty else { return }
            reading.activity = .connecting
            actions.append(.connect(attempt: reading.attempts))
            reading.attempts += 1
        case .claim:
            // Pending entries that are in memory would be delivered twice.
            guard isMemoryEmpty else { return }
            (reading.next, reading.memory) = (.new, .trusted)
            reading.activity = .reading(since: now)
            actions.append(.read(claims: true))
        case .new:
            reading.activity = .reading(since: now)
            actions.append(.read(claims: false))
        }
    }

    mutating func delivered(_ delivery: Delivery) {
        guard case .reading = reading.activity else { return assertionFailure("delivered without a read") }
        reading.activity = .none
        reading.attempts = 0
        reading.pace = delivery.isFull ? .behind : delivery.isEmptyRead ? .drained : .keepingUp
        if !delivery.entries.isEmpty { undecoded.append(delivery.entries) }
        // While memory is empty, nothing should be pending. Any pending entry was delivered to a connection that has
        // closed.
        guard delivery.isEmptyRead, isMemoryEmpty, case .open = reading.intake, case .new = reading.next else { return }
        reading.activity = .checking
        actions.append(.checkForLeftovers)
    }

    mutating func found(pending: Int64, wanted: [RequestedReplay], at now: ContinuousClock.Instant) {
        guard case .checking = reading.activity else { return assertionFailure("found without a check") }
        reading.activity = .none
        if pending > 0 {
            reading.claim()
        } else if settings.untilIdle, case .open = reading.intake, case .new = reading.next {
            // Otherwise Redis has lost data since the check.
            if !wanted.isEmpty { return publish(wanted, at: now) }
            reading.intake = .idle
            // Trims once more before the end, which also finds messages that were lost in the meantime.
            chores.due.insert(.trim)
        }
    }

    mutating func readFailed(_ failure: ReadFailure) {
        if case .none = reading.activity { assertionFailure("a read failed that was not under way") }
        reading.activity = .none
        switch (failure, reading.next) {
        case (.lostData, _): reading.next = .connect(afterLoss: true)
        case (.interrupted, .connect), (.stopped, .connect): break
        case (.interrupted, _), (.stopped, _): reading.next = .connect(afterLoss: false)
        }
    }

    mutating func connected(decidingConnection: Int) {
        guard case .connecting = reading.activity, case .connect(let isAfterLoss) = reading.next else {
            return assertionFailure("connected without a request")
        }
        assert(isMemoryEmpty, "messages of the previous connection are in memory")
        reading.activity = .none
        // The installation of an epoch that is being opened may have been sent before Redis lost its tail. The reader
        // reconnects once that epoch is open.
        guard case .active = phase else { return }
        (reading.next, reading.memory) = (.new, .trusted)
        // Commands sent over a closed connection may still arrive, and a Redis that has lost its tail may assign the
        // ids they name to other messages. A new epoch fences these commands before anything is read under those ids.
        if isAfterLoss || decidingConnection != epoch.connection {
            need(EpochReason(.outage, "reading failed, and Redis may have lost data"))
        }
    }

    mutating func stop() {
        reading.intake = .stopped
        // The read is ended, not cancelled: it may already have received entries, which would stay pending until the
        // next start.
        if case .reading = reading.activity { actions.append(.endRead) }
    }

    /// The lowest entry that is in memory and not acknowledged. Batches advance in the order of the stream.
    var lowestInMemory: StreamID? {
        var ids = [unacknowledged.first?.entries.first]
        if case .inProgress(let batch) = recording { ids.append(batch.entries.first?.entry.id) }
        if case .done(let batch) = deciding { ids.append(batch.entries.first?.entry.id) }
        ids += [queue.first?.id, undecoded.first?.id]
        return ids.lazy.compactMap(\.self).first.flatMap { StreamID($0) }
    }
}
