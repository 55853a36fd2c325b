import Ingest
import Domain
import Ledger

extension ConsumerStateMachine {
    struct ReadState {
        enum Activity {
            case none
            case reading(since: ContinuousClock.Instant)
            case connecting
            /// Asks what is pending, as nothing came and nothing is in memory.
            case checking
        }

        /// What is read next.
        enum Next {
            case new
            /// Entries may be pending that are not in memory; they are claimed once it is empty.
            case claim
            /// Reading has failed. The reader reconnects once memory is empty, so that everything in memory was read
            /// over one connection: when a connection ends, Redis may give an id that is in memory to another message.
            case connect(afterLoss: Bool)
        }

        /// How the last read compares with what was asked for.
        enum Pace {
            /// It returned nothing.
            case drained
            case keepingUp
            /// It returned as much as was asked for.
            case behind
        }

        enum Intake {
            case open
            /// Nothing is left, and nothing more is read.
            case idle
            /// Nothing more is read, whatever is left.
            case stopped
        }

        var activity = Activity.none
        var next = Next.new
        var pace = Pace.keepingUp
        var intake = Intake.open
        /// Doubtful messages are not acknowledged: they are claimed again, found to be recorded, and acknowledged then.
        var memory = EpochReason.Memory.trusted
        /// Attempts to connect since something was read.
        var attempts = 0

        /// Makes the next read claim what is pending. Reconnecting does that anyway.
        mutating func claim() {
            if case .new = next { next = .claim }
            goOn()
        }

        mutating func distrustMemory() {
            memory = .doubtful
            claim()
        }

        /// Continues reading if the intake was idle (`untilIdle`): something is left after all.
        mutating func goOn() {
            if case .idle = intake { intake = .open }
        }
    }

    mutating func startReading(at now: ContinuousClock.Instant) {
        // At most two batches are read ahead, one of which is being decided, exceeded by at most one read.
        guard case .active = phase, case .open = reading.intake, case .none = reading.activity,
            readAhead < 2 * settings.batchOrders, queue.bytes + undecoded.bytes < settings.queueBytes
        else { return }
        // Messages that arrive while a batch is being decided are read together afterwards; nothing needs them sooner.
        // Only a backlog is read continuously.
        if case .underWay = deciding, reading.pace != .behind { return }
        // With `untilIdle` reads do not wait: after an empty one, the next would follow at once.
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
        // With nothing in memory nothing should be pending; whatever is pending was delivered to a connection that is
        // gone.
        guard delivery.isEmptyRead, isMemoryEmpty, case .open = reading.intake, case .new = reading.next else { return }
        reading.activity = .checking
        actions.append(.checkForLeftovers)
    }

    mutating func found(pending: Int64, wanted: [RequestedReplay], at now: ContinuousClock.Instant) {
        guard case .checking = reading.activity else { return assertionFailure("found without a look") }
        reading.activity = .none
        if pending > 0 {
            reading.claim()
        } else if settings.untilIdle, case .open = reading.intake, case .new = reading.next {
            // Otherwise Redis has lost something since it was asked.
            if !wanted.isEmpty { return publish(wanted, at: now) }
            reading.intake = .idle
            // Trims once more before the end: that also finds messages that were lost meanwhile.
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
            return assertionFailure("connected without being asked to")
        }
        assert(isMemoryEmpty, "messages of the connection before are in memory")
        reading.activity = .none
        // An epoch that is being opened may have been sent before Redis lost its tail: the reader connects again after
        // it.
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
        // An interrupted read may already have received entries; they would stay pending until the next start.
        if case .reading = reading.activity { actions.append(.endRead) }
    }

    /// The first entry that is in memory and not acknowledged: batches advance in the order of the stream.
    var lowestInMemory: StreamID? {
        var ids = [unacknowledged.first?.entries.first]
        if case .underWay(let batch) = recording { ids.append(batch.entries.first?.entry.id) }
        if case .done(let batch) = deciding { ids.append(batch.entries.first?.entry.id) }
        ids += [queue.first?.id, undecoded.first?.id]
        return ids.lazy.compactMap(\.self).first.flatMap { StreamID($0) }
    }
}
