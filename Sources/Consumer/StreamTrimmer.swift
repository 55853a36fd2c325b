import Concurrency
import Counters
import Failpoints
import Domain
import Logging
import RedisClient

/// Keeps the streams short, and a full Redis from staying full. Called for one job at a time (`Chores`): otherwise its
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
    /// Lost messages that were reported, or found before this process; nil: Redis was not asked yet.
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

    /// About how many outcomes are to stay now.
    var keepOutcomes: Int { trimPolicy.keepOutcomes }

    /// Called every ten seconds.
    func trim() async {
        await trimStreams()
        await checkForLostMessages()
        await removeIdleConsumers()
    }

    /// Drops what need not stay.
    private func trimStreams() async {
        guard let report = await trim(trimPolicy.retention(at: clock.now)) else { return }
        if report.excess > 0, !isExcessReported {
            isExcessReported = true
            logger.warning(
                "the stream is longer than keep_messages: messages are dropped before keep_messages_s, and a restore cannot read them again",
                metadata: ["keep_messages": "\(settings.keepMessages)", "dropped": "\(report.excess)"])
        }
    }

    /// A failure is tried again at the next turn.
    /// - Returns: nil where nothing could be dropped.
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
            // Nothing was read yet, or the data are lost, which reading reports.
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
            // Read before the first look, whose reply may be lost.
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
                "messages are gone from the stream, and nobody has processed them: something trimmed or deleted them",
                metadata: ["count": "\(unreported)", "hint": "publish again what has no outcome"])
        } catch {
            // What is not counted now is counted later.
            logger.debug("cannot look for lost messages", metadata: ["error": "\(error)"])
        }
    }

    /// Each host name becomes a consumer of the group, and Redis never removes any.
    private func removeIdleConsumers() async {
        do {
            let removed = try await upkeep.removeIdleConsumers(except: settings.consumer)
            if removed > 0 { logger.debug("removed consumers that are not in use", metadata: ["count": "\(removed)"]) }
        } catch {
            // They only take a little memory. Removing them can wait, also for the permission.
            logger.debug("consumers that are not in use stay", metadata: ["error": "\(error)"])
        }
    }

    /// Called once a second. While Redis stays full, acknowledged messages are dropped, the oldest first, until it has
    /// room.
    /// - Parameter isFull: whether it refuses writes now for lack of memory.
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

    /// Drops in growing slices: messages that a restored ledger could read again are not dropped needlessly, and Redis
    /// serves other clients in between.
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

    /// A ledger that is restored later cannot read the messages that a full Redis had to drop. Logged once, with the
    /// time.
    private func warnOfLostHistory(_ dropped: Int64) async {
        guard let start = try? await upkeep.oldestMessage() else { return }
        let isNews = historyStart == nil
        historyStart = start
        guard isNews else { return }
        logger.warning(
            "redis is full: processed messages are dropped before their time, and cannot be read again after a restore",
            metadata: [
                "dropped": "\(dropped)", "restore_reads_from": "\(start.time)",
                "hint": "back up the ledger; raise maxmemory or lower keep_messages_s",
            ])
    }

    /// - Parameters:
    ///   - asked: when Redis was asked, by the monotonic clock.
    ///   - machine: the same by this machine's clock.
    private func checkClocks(_ report: TrimReport, askedAt asked: ContinuousClock.Instant, machine: Int64) {
        let findings = clocks.look(
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
                    "this machine's clock differs from that of redis: times of decisions are wrong by that much",
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
    /// There is no stream, or no group on it.
    fileprivate var isWithoutStream: Bool { code == "NOGROUP" || message.contains("no such key") }
}

extension Duration {
    fileprivate var roundedSeconds: Int64 { Int64((self / .seconds(1)).rounded()) }
}
