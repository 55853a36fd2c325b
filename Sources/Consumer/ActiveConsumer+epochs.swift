import Counters
import Failpoints
import Intake
import Inventory
import Ledger
import Logging
import RedisClient

extension ActiveConsumer {
    /// Opens a new epoch and has everything that is in memory and not recorded decided again, in order.
    ///
    /// Needing yet another epoch on the way is the same again, up to a limit.
    func recover(_ first: EpochNeeded) async throws {
        var needed: EpochNeeded? = first
        while let reason = needed {
            needed = nil
            do {
                if reason.isLoss { suspendAcknowledging() }
                try await takeBack()
                try await openEpoch(reason)
                advance()
            } catch let again as EpochNeeded {
                needed = again
            }
        }
    }

    /// Takes every batch that is not recorded apart into its entries.
    private func takeBack() async throws {
        var entries: [ReadEntry] = []
        // What the gate answers is of the old epoch; its entries are still in the queue.
        if let (_, task) = deciding {
            deciding = nil
            do { _ = try await task.value } catch is EpochNeeded {}
        }
        mustWait = false
        // What is under way is let through: its answer says whether it is recorded. Then the next one may start.
        while let (_, batch, task) = recording {
            if case .recorded = try await task.value {
                try await finishRecording()
            } else {
                entries += batch.entries
                recording = nil
            }
        }
        if let batch = decided {
            entries += batch.entries
            decided = nil
        }
        queue.putBack(entries)
    }

    /// Raises the ledger's epoch and installs its counters. An installation is sent once; any doubt about its answer
    /// means the next epoch.
    func openEpoch(_ needed: EpochNeeded) async throws {
        if !needed.isOutage {
            epochsWithoutProgress += 1
            if epochsWithoutProgress > ConsumerSettings.epochsWithoutProgress {
                throw ConsumerError.noProgress(
                    redis: redis.url.redacted, reason: needed.reason, epochs: ConsumerSettings.epochsWithoutProgress)
            }
        }
        logger.notice("opening an epoch", metadata: ["reason": "\(needed.reason)"])
        if let delay = epochBackoff?.delay() { try await stop.pause(delay) } else { epochBackoff = Backoff() }
        var losses = 0
        while true {
            if stop.isRequested { throw StopSignal.Stopped() }
            // First that Redis is there at all: an outage of hours must not cost an epoch a second.
            try await waitForRedis()
            guard ledger.file.isInPlace else { throw LedgerError.replaced(path: ledger.path) }
            Failpoint.epochBefore.pass()
            // Before the epoch is raised: a wrong ledger that is started again and again must not overtake Redis.
            try await refuseWrongLedger()
            let before = catalog.version < 0 ? nil : catalog.version
            let start = try await untilLedgerAnswers { [ledger] in
                try await ledger.raiseEpoch(catalogueBefore: before, reason: needed.reason)
            }
            Failpoint.epochRaised.pass()
            let installation = Installation(start)
            // Before it is sent: whatever happens to what was installed, happens over a later connection.
            epochConnection = redis.generation
            do {
                let answer = try await untilRedisAnswers("installing the counters") { [counters] in
                    try await counters.install(installation)
                }
                guard answer == .installed else {
                    throw ConsumerError.ledgerIsNotTheOne(
                        path: ledger.path, redis: redis.url.redacted, found: answer)
                }
            } catch let doubt as EpochNeeded {
                logger.warning("installing the counters is in doubt", metadata: ["error": "\(doubt.reason)"])
                continue
            } catch let error as CountersError where error.isLossBeforeInstalling {
                // Redis lost what was prepared, before it was renamed: flushed, or restarted. Not for ever.
                losses += 1
                if losses > ConsumerSettings.installLosses { throw error }
                logger.warning("the prepared counters were lost", metadata: ["error": "\(error)"])
                continue
            }
            Failpoint.epochInstalled.pass()
            epoch = start.head.epoch
            seq = start.head.seq
            catalog = start.catalog
            totals.epochs += 1
            metrics.opened(epoch: epoch, seq: seq)
            logger.notice(
                "epoch opened",
                metadata: ["epoch": "\(epoch)", "seq": "\(seq)", "catalogue": "\(catalog.version)"])
            await announce(start)
            return
        }
    }

    /// Tells listeners which products a new catalogue has changed. Nothing depends on it.
    private func announce(_ start: EpochStart) async {
        if start.changedProducts.isEmpty { return }
        let settlement = Settlement(
            epoch: epoch, settled: seq, recorded: start.head.records, entries: [], outcomes: [],
            changed: start.changedProducts)
        do {
            for slice in settlement.slices(of: settings.slice) {
                _ = try await counters.settle(slice, keepOutcomes: trimPolicy.keepOutcomes)
            }
        } catch {
            logger.warning("changes of the catalogue could not be published", metadata: ["error": "\(error)"])
        }
    }

    /// Stops if Redis knows of more than this ledger holds: it was replaced, or has gone back in time.
    private func refuseWrongLedger() async throws {
        let found = try await untilRedisAnswers("reading the counters' state", doubtIsHarmless: true) { [counters] in
            try await counters.head()
        }
        let head = try await untilLedgerAnswers { [ledger] in try await ledger.head() }
        try found.refuseWrongLedger(ledger, head: head, redis: redis.url.redacted)
    }

    // MARK: - Watching

    /// Once a second: is the ledger the file that is open, and at our epoch and catalogue; is Redis in the state we left it?
    func watch() async throws {
        guard ledger.file.isInPlace else { throw LedgerError.replaced(path: ledger.path) }
        let head = try await untilLedgerAnswers { [ledger] in try await ledger.head() }
        if head.catalogueVersion != catalog.version {
            throw EpochNeeded(reason: "catalogue version \(head.catalogueVersion)", isOutage: true)
        }
        if head.epoch != epoch { throw EpochNeeded(reason: "the ledger is at epoch \(head.epoch)", isOutage: true) }
        // Together: each of them alone would cost a round trip, during which nothing else goes on.
        async let isFull = try? counters.isRedisFull()
        async let pending = try? PendingSummary.read(counters.keys, redis)
        let found: CounterHead
        do {
            found = try await counters.head()
        } catch {
            // Reading changes nothing; a Redis that is away is waited for by those who need it.
            if case .fatal = RedisTrouble(error) { throw error }
            return
        }
        if found.ledger != counters.ledger || found.epoch != epoch || found.seq != seq {
            // Once a second at most, and about no batch: it may happen as often as it likes.
            throw EpochNeeded(reason: "the counters were changed or lost", isOutage: true, isLoss: true)
        }
        epochBackoff = nil
        // Whatever else keeps Redis from answering is reported where it is needed.
        if let isFull = await isFull { await noteMemory(isFull: isFull) }
        if let pending = await pending { lookForStrayEntries(pending) }
        await lookWhetherOneServer()
        try await publishReplays()
        _ = try await untilLedgerAnswers { [ledger] in try await ledger.checkpointIfWanted() }
    }

    // MARK: - Waiting

    func waitForRedis() async throws {
        _ = try await untilRedisAnswers("reaching Redis", doubtIsHarmless: true) { [redis] in
            try await redis.send(RedisCommand("PING"))
        }
    }

    /// What `body` gives once Redis answers (`retryingRedis`).
    nonisolated func untilRedisAnswers<T: Sendable>(
        _ action: String, doubtIsHarmless: Bool = false, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        try await retryingRedis(action, stop: stop, logger: logger, doubtIsHarmless: doubtIsHarmless, body)
    }

    /// What `body` gives once the ledger is not locked and its disk not full.
    nonisolated func untilLedgerAnswers<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T
    {
        try await retryingLedger(stop: stop, logger: logger, body)
    }
}
