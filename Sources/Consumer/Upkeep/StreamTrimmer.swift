import Concurrency
import Counters
import Failpoints
import Domain
import Logging
import RedisClient

/// Trims the streams, and frees memory in a full Redis. It is called for one job at a time (`Chores`): otherwise its
/// state could change while it waits for Redis.
actor StreamTrimmer {
    private let settings: ConsumerSettings
    private let upkeep: any StreamUpkeep
    private let clock: any TimeSource
    private let metrics: ConsumerMetrics
    private let logger: Logger
    private var trimPolicy: TrimPolicy
    private var clocks = ClockWatch()
    /// Set while Redis is full: the position from which a restore can read the stream again.
    private var historyStart: StreamID?
    private var isTrimFailureReported = false
    private var isExcessReported = false
    /// The number of lost messages that were reported, or were found before this process started; `nil` before the
    /// first check.
    private var lossesReported: Int64?

    init(
        settings: ConsumerSettings, upkeep: any StreamUpkeep, clock: any TimeSource, metrics: ConsumerMetrics,
        logger: Logger
    ) {
        self.settings = settings
        self.upkeep = upkeep
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        trimPolicy = TrimPolicy(settings)
    }

    /// The approximate number of outcomes to keep now.
    var keepOutcomes: Int { trimPolicy.keepOutcomes }

    /// Trims the streams, checks for lost messages, and removes idle consumers. Called every ten seconds.
    func trim() async {
        await trimStreams()
        await checkForLostMessages()
        await removeIdleConsumers()
    }

    /// Drops messages and outcomes that need not be kept.
    private func trimStreams() async {
        guard let report = await trim(trimPolicy.retention(at: clock.now)) else { return }
        if report.excess > 0, !isExcessReported {
            isExcessReported = true
            logger.warning(
                "the stream is longer than keep_messages: messages are dropped before keep_messages_s, and a restore cannot read them again",
                metadata: ["keep_messages": "\(settings.keepMessages)", "dropped": "\(report.excess)"])
        }
    }

    /// Trims the streams once. A failure is retried by the next call.
    /// - Returns: `nil` if nothing could be dropped.
    private func trim(_ retention: Retention) async -> TrimReport? {
        Failpoint.trimBefore.pass()
        do {
            let asked = (at: clock.now, machine: clock.milliseconds)
            let report = try await upkeep.trim(retention)
            Failpoint.trimAfter.pass()
            isTrimFailureReported = false
            metrics.trimmed(Int(clamping: report.messages))
            if report.messages > 0 {
                logger.debug("trimmed the stream", metadata: ["entries": "\(report.messages)"])
            }
            trimPolicy.note(report, at: clock.now)
            checkClocks(report, askedAt: asked.at, machine: asked.machine)
            return report
        } catch RedisError.reply(let reply, _) where reply.isWithoutStream {
            // Nothing was read yet, or Redis has lost data, which reading reports.
            return nil
        } catch {
            metrics.trimFailed()
            // Failed connection attempts are already in the log.
            if isTrimFailureReported || !RedisErrorClass.isReply(error) { return nil }
            isTrimFailureReported = true
            logger.warning(
                "the stream cannot be trimmed, and grows; trying again", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Reports messages that were trimmed or deleted before they were processed.
    private func checkForLostMessages() async {
        do {
            // Read before the first check, whose reply may be lost.
            let reported =
                if let lossesReported { lossesReported } else {
                    try await upkeep.lostMessages().total
                }
            lossesReported = reported
            let lost = try await upkeep.checkForLostMessages()
            lossesReported = lost.total
            let unreported = lost.unreported(after: reported)
            if unreported <= 0 { return }
            metrics.lost(Int(clamping: unreported))
            logger.error(
                "messages are missing from the stream without having been processed: something trimmed or deleted them",
                metadata: ["count": "\(unreported)", "hint": "publish again what has no outcome"])
        } catch {
            // Messages that are not counted now are counted later.
            logger.debug("cannot check for lost messages", metadata: ["error": "\(error)"])
        }
    }

    /// Removes idle consumers of the group: each host name becomes a consumer, and Redis never removes one.
    private func removeIdleConsumers() async {
        do {
            let removed = try await upkeep.removeIdleConsumers(except: settings.consumer)
            if removed > 0 { logger.debug("removed idle consumers", metadata: ["count": "\(removed)"]) }
        } catch {
            // Idle consumers take little memory. Removing them can wait, even for a missing permission.
            logger.debug("idle consumers could not be removed", metadata: ["error": "\(error)"])
        }
    }

    /// Called once a second. While Redis stays full, acknowledged messages are dropped, the oldest first, until it has
    /// room.
    /// - Parameter isFull: whether Redis currently refuses writes for lack of memory.
    func noteMemory(isFull: Bool) async {
        let isNews = trimPolicy.note(isFull: isFull, at: clock.now)
        metrics.isRedisFull(isFull)
        switch (isNews, trimPolicy.isRelieving) {
        case (true, true):
            logger.notice("redis is full; dropping the oldest processed messages until it accepts messages again")
        case (true, false):
            logger.notice(
                "redis has room again", metadata: historyStart.map { ["restore_reads_from": "\($0.time)"] } ?? [:])
            historyStart = nil
        default: break
        }
        if trimPolicy.isRelieving { await relieve() }
    }

    /// Drops messages in growing slices, so that messages that a restored ledger could read again are not dropped
    /// needlessly, and Redis serves other clients in between.
    private func relieve() async {
        var dropped: Int64 = 0
        var limit = ConsumerSettings.firstReliefSlice
        while let isShort = try? await upkeep.isShortOfMemory(), isShort {
            guard let report = await trim(trimPolicy.relief(of: limit)) else { break }
            dropped += report.messages
            if report.messages + report.outcomes == 0 { break }
            limit = min(limit * 2, Retention.ordinaryLimit)
        }
        if dropped > 0 { await warnOfLostHistory(dropped) }
    }

    /// Warns once that a full Redis had to drop messages, which a ledger restored later cannot read, with the time of
    /// the oldest message that is left.
    private func warnOfLostHistory(_ dropped: Int64) async {
        guard let start = try? await upkeep.oldestMessage() else { return }
        let isNews = historyStart == nil
        historyStart = start
        guard isNews else { return }
        logger.warning(
            "redis is full: processed messages are dropped early, and cannot be read again after a restore",
            metadata: [
                "dropped": "\(dropped)", "restore_reads_from": "\(start.time)",
                "hint": "back up the ledger; raise maxmemory or lower keep_messages_s",
            ])
    }

    /// - Parameters:
    ///   - asked: the time of the request by the monotonic clock.
    ///   - machine: the time of the request by this machine's clock.
    private func checkClocks(_ report: TrimReport, askedAt asked: ContinuousClock.Instant, machine: Int64) {
        let findings = clocks.check(
            .init(
                at: asked, redis: .milliseconds(report.time), machine: .milliseconds(machine),
                uncertainty: clock.now - asked, idsAhead: report.idsAhead))
        for finding in findings {
            switch finding {
            case .redisStepped(let step):
                logger.warning("the clock of redis was set", metadata: ["seconds": "\(step.roundedSeconds)"])
            case .machineStepped(let step):
                logger.warning("this machine's clock was set", metadata: ["seconds": "\(step.roundedSeconds)"])
            case .apart(let distance):
                logger.warning(
                    "this machine's clock differs from that of redis: decision times are wrong by that much",
                    metadata: ["seconds": "\(distance.roundedSeconds)"])
            case .idsAhead(let distance):
                logger.warning(
                    "the ids of messages are ahead of redis' clock: their age is counted from when they were read",
                    metadata: ["seconds": "\(distance.roundedSeconds)"])
            }
        }
    }
}

extension RedisReplyError {
    /// Whether the stream or its group does not exist.
    fileprivate var isWithoutStream: Bool { code == "NOGROUP" || message.contains("no such key") }
}

extension Duration {
    fileprivate var roundedSeconds: Int64 { Int64((self / .seconds(1)).rounded()) }
}
