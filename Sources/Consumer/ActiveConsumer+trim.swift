import Counters
import Failpoints
import Inventory
import Logging
import RedisClient

/// Keeping the streams short, and a full Redis from staying full.
extension ActiveConsumer {
    /// Drops what need not stay in the streams. Whatever fails is tried again at the next turn.
    func trim() async {
        let retention = trimming.retention(at: .now)
        Failpoint.trimBefore.pass()
        do {
            let report = try await counters.trim(retention)
            Failpoint.trimAfter.pass()
            isTrimFailureReported = false
            metrics.trimmed(Int(clamping: report.messages))
            if report.messages > 0 {
                logger.debug("trimmed the stream", metadata: ["entries": "\(report.messages)"])
            }
            trimming.note(report, at: .now)
            warnOfLostHistory(report)
            lookAtClocks(report)
        } catch RedisError.reply(let reply, _) where reply.isWithoutStream {
            // Nothing was read yet, or the data are gone, which is reported where they are read.
        } catch {
            metrics.trimFailed()
            // Connections that cannot be made are in the log already.
            if isTrimFailureReported || !RedisTrouble.isReply(error) { return }
            isTrimFailureReported = true
            logger.warning(
                "the stream cannot be trimmed, and grows; trying again", metadata: ["error": "\(error)"])
        }
    }

    /// Each host name becomes a consumer of the group, and Redis forgets none of them.
    func removeIdleConsumers() async {
        do {
            let removed = try await counters.removeIdleConsumers(except: settings.consumer)
            if removed > 0 { logger.debug("removed consumers that are not in use", metadata: ["count": "\(removed)"]) }
        } catch {
            // They take a little memory, and harm nobody: it can wait, for the right to remove them, too.
            logger.debug("consumers that are not in use stay", metadata: ["error": "\(error)"])
        }
    }

    /// Once a second: a full Redis is emptied at once of all that is acknowledged.
    func lookForFullRedis() async {
        // Whatever else keeps Redis from answering is reported where it is needed.
        guard let isFull = try? await counters.isRedisFull() else { return }
        let isNews = trimming.note(isFull: isFull, at: .now)
        metrics.isRedisFull(isFull)
        switch (isNews, trimming.isRelieving) {
        case (true, true): logger.notice("redis is full; dropping what is processed, so that it accepts messages again")
        case (true, false):
            logger.notice(
                "redis has room again", metadata: historyStart.map { ["restore_reads_from": "\($0.time)"] } ?? [:])
            historyStart = nil
        default: break
        }
        if trimming.isRelieving { await trim() }
    }

    /// What a full Redis had to forget, a ledger that is restored later cannot read again. Said once, with the time.
    private func warnOfLostHistory(_ report: TrimReport) {
        guard trimming.isRelieving, report.messages > 0 else { return }
        let isNews = historyStart == nil
        historyStart = EntryPosition(report.bound)
        guard isNews, let historyStart else { return }
        logger.warning(
            "redis is full: processed messages are dropped before their time, and cannot be read again after a restore",
            metadata: [
                "dropped": "\(report.messages)", "restore_reads_from": "\(historyStart.time)",
                "hint": "back up the ledger; raise maxmemory or lower keep_messages_s",
            ])
    }

    private func lookAtClocks(_ report: TrimReport) {
        let findings = clocks.look(
            .init(
                at: .now, redis: .milliseconds(report.time), machine: .milliseconds(Timestamp.milliseconds()),
                idsAhead: report.idsAhead))
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
