import Concurrency
import Consumer
import Counters
import Domain
import Ledger
import Monitoring
import Reconciliation
import RedisClient
import TextEncodings

/// Checks that orders are decided, and that counters and ledger agree.
extension DoctorChecks {
    /// How long a message may wait, unread or pending, while a consumer is active, in milliseconds.
    private static let patience: Int64 = 60_000
    /// How long a loss is reported as a warning, in milliseconds: by then publishers have sent again, or never will.
    private static let lossReminder: Int64 = 7 * 24 * 3_600_000
    /// How long counters and ledger may take to reach the same state.
    private static let reconcilePatience = Duration.seconds(2)

    mutating func checkStore() async {
        await checkConsumer()
        await checkCounters()
        await checkOutcomes()
        await checkDrift()
        await checkStream()
        await checkConsumerNames()
        await checkStatistics()
    }

    private mutating func checkConsumer() async {
        let consumer = await settings.ledger.lease.state()
        isConsumerActive = consumer.isHeld
        let holder = consumer.process.map { "process \($0)" }
        add(
            "consumer", isConsumerActive ? .ok : .warn,
            isConsumerActive
                ? "active: \(holder ?? "another process")"
                : "none is active\(holder.map { "; the last one was \($0)" } ?? ""). Start one: 'stocktake consume'")
    }

    private mutating func checkCounters() async {
        guard let ledger, let ledgerHead else { return add("counters", .unknown, "the ledger cannot be read") }
        let (settings, client, isConsumerActive) = (settings, client, isConsumerActive)
        await askRedis("counters") {
            // Read before the counters, which must have reached it.
            let watermark = try await ledger.watermark()
            let head = try await CounterHead.read(settings.keys, client)
            let state = "ledger at epoch \(ledgerHead.epoch), seq \(ledgerHead.seq)"
            if head.isEmpty { return (.warn, "none are installed; \(state). A consumer installs them when it starts") }
            guard head.ledger == ledger.identity else {
                return (
                    .bad,
                    "they belong to another ledger. Name the right one, or adopt this one ('stocktake ledger adopt')"
                )
            }
            func text(_ number: Int64?) -> String { number.map { String($0) } ?? "none" }
            let detail = "Redis at epoch \(text(head.epoch)), seq \(text(head.seq)); \(state)"
            if head.objection(to: ledgerHead, of: ledger.identity) != nil, !isConsumerActive {
                return (
                    .bad,
                    detail
                        + ": the ledger has gone back in time. 'stocktake ledger restore FILE' puts the newest backup in its place; or adopt this one ('stocktake ledger adopt')"
                )
            }
            if watermark.isAbove(epoch: head.epoch ?? 0, seq: head.seq ?? 0) {
                return (
                    .bad,
                    detail + ": Redis is behind the ledger, because it has lost changes. "
                        + (isConsumerActive
                            ? "The consumer installs the counters again within seconds"
                            : "Start a consumer, which installs the counters again")
                )
            }
            return (.ok, detail)
        }
    }

    /// Checks that everything recorded is announced, or soon will be.
    private mutating func checkOutcomes() async {
        guard let ledger, let ledgerHead else { return add("outcomes", .unknown, "the ledger cannot be read") }
        let (client, keys, isConsumerActive) = (client, settings.keys, isConsumerActive)
        await askRedis("outcomes") {
            let end = ContinuousClock.now + Self.reconcilePatience
            while true {
                let head = try await CounterHead.read(keys, client)
                guard head.ledger == ledger.identity, let unannounced = head.unannounced(of: ledgerHead) else {
                    return (.unknown, "Redis does not report how far they are announced")
                }
                if unannounced == 0 { return (.ok, "announced up to position \(ledgerHead.position.grouped)") }
                let count = Int(clamping: unannounced).counted("row")
                if !isConsumerActive {
                    return (.warn, "\(count) of the journal not announced; a consumer announces them when it starts")
                }
                if ContinuousClock.now >= end {
                    return (
                        .bad,
                        "\(count) of the journal not announced. The consumer's log says why: its user may lack permission for XADD, or something else is stored under '\(keys.outcomes)'"
                    )
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private mutating func checkDrift() async {
        guard let ledger else { return add("drift", .unknown, "the ledger cannot be read") }
        let (settings, client, isActive) = (settings, client, isConsumerActive)
        await askRedis("drift") {
            var reconciler = Reconciler(
                ledger: ledger, counters: CounterReader(keys: settings.keys, client: client),
                redis: settings.redis.redacted)
            reconciler.patience = isActive ? Self.reconcilePatience : .zero
            let idle = isActive ? "" : " (no consumer)"
            do {
                let report = try await reconciler.drift()
                return report.isClean
                    ? (.ok, "none in \(report.compared.counted("counter"))\(idle)")
                    : (.bad, "in \(report.drift.count.counted("counter"))\(idle). 'stocktake reconcile' lists them")
            } catch let error as ReconciliationError {
                return isActive ? (.bad, "\(error)") : (.unknown, "not comparable without a consumer")
            }
        }
    }

    private mutating func checkStream() async {
        let (this, client, keys) = (self, client, settings.keys)
        var group: GroupProgress?
        await askRedis("stream") {
            let extent = try await StreamExtent.read(keys, client)
            guard let extent else { return (.ok, "there is none yet") }
            let detail =
                "\(Int(clamping: extent.length).counted("message"))"
                + (extent.first.map { ", the oldest of \($0.time)" } ?? "")
            let time = try await RedisClock.read(client) ?? SystemClock.milliseconds()
            let ahead = extent.last.map { Int64(clamping: $0.milliseconds) - time } ?? 0
            if .milliseconds(ahead) <= Timestamp.clockTolerance { return (.ok, detail) }
            return (
                .warn,
                "\(detail); the newest id is \((ahead / 1_000).grouped) s ahead of Redis' clock, which was set ahead for a while: until it catches up, ids do not show how long a message has waited"
            )
        }
        await askRedis("unread") {
            let progress = try await GroupProgress.read(keys, client)
            group = progress
            let unread = try await WaitingMessages.unread(progress, keys, client)
            return unread.count == 0 ? (.ok, "none") : try await this.waiting(unread)
        }
        await askRedis("pending") {
            guard let group else { return (.unknown, "Redis does not report it") }
            let pending = try await WaitingMessages.pending(group, keys, client)
            return pending.count == 0 ? (.ok, "none") : try await this.waiting(pending)
        }
        await askRedis("lost") {
            let lost = try await LostMessages.read(keys, client)
            guard lost.total > 0, let found = lost.foundAt else { return (.ok, "none") }
            let count = Int(clamping: lost.total).counted("message")
            let time = Timestamp.text(milliseconds: found)
            let detail = "\(count) lost from the stream before processing, the last found at \(time)"
            let now = try await RedisClock.read(client) ?? SystemClock.milliseconds()
            if now - found > Self.lossReminder { return (.ok, detail) }
            return (.warn, "\(detail). Publish again what has no outcome, and find out what trims the stream")
        }
    }

    /// How long a consumer waits for messages before it reads again, plus a margin.
    private static let readInterval = Duration.milliseconds(2_500)

    /// Checks that no consumer other than the active one reads in its group.
    private mutating func checkConsumerNames() async {
        let (client, keys, isConsumerActive) = (client, settings.keys, isConsumerActive)
        await askRedis("consumer names") {
            let known = try await GroupConsumer.read(keys, client)
            let recent = known.filter { .milliseconds($0.idle) < Self.readInterval * 2 }
            var reading = recent
            if recent.count > (isConsumerActive ? 1 : 0) {
                // A consumer that has just ended has also read recently.
                try await Task.sleep(for: Self.readInterval + .milliseconds(100))
                let later = try await GroupConsumer.read(keys, client)
                reading = recent.compactMap { before in
                    later.first {
                        $0.name == before.name
                            && .milliseconds($0.idle) - .milliseconds(before.idle) < Self.readInterval
                    }
                }
            }
            let names = reading.map(\.name).joined(separator: ", ")
            if reading.count > 1 {
                return (.warn, "\(names) read in one group: end all but one. Which of them decides is left to chance")
            }
            if !isConsumerActive, !reading.isEmpty {
                return (
                    .warn,
                    "\(names) reads in the group, but no consumer is active on this machine: it is on another machine, or is another program. End it"
                )
            }
            let holding = known.filter { $0.pending > 0 && !recent.map(\.name).contains($0.name) }
            if isConsumerActive, let other = holding.first {
                return (
                    .warn,
                    "\(other.name) holds \(Int(clamping: other.pending).counted("message")) and has not read for \((other.idle / 1_000).grouped) s: the active consumer takes them over within seconds, or says in its log why not"
                )
            }
            return (.ok, names.isEmpty ? "no consumer has read within the last 5 s" : names)
        }
    }

    /// The result of a check that has found waiting messages.
    private func waiting(_ messages: WaitingMessages) async throws -> ReconcileResult {
        let age = messages.age(at: try await RedisClock.read(client) ?? SystemClock.milliseconds())
        let count = Int(clamping: messages.count).counted("message") + (messages.isLowerBound ? " or more" : "")
        let detail =
            "\(count), the oldest \(messages.oldest.flatMap { age == nil ? nil : "of \($0.time)" } ?? "of unknown age")"
        if !isConsumerActive { return (.warn, detail + "; no consumer is active") }
        if age ?? 0 > Self.patience { return (.warn, detail + ". Check the consumer's log") }
        return (.ok, detail)
    }

    private mutating func checkStatistics() async {
        guard let ledger else {
            add("dead letters", .unknown, "the ledger cannot be read")
            return add("refunds", .unknown, "the ledger cannot be read")
        }
        do {
            let statistics = try await ledger.statistics()
            let replays =
                statistics.requestedReplays > 0 ? ", \(statistics.requestedReplays.grouped) to be published again" : ""
            add(
                "dead letters", statistics.openDeadLetters > 0 ? .warn : .ok,
                "\(statistics.openDeadLetters.grouped) open\(replays), \(statistics.deadLetterBytes.asBytes) of content"
                    + (statistics.openDeadLetters > 0 ? ". See 'stocktake dead-letters list --status open'" : ""))
            let refunds = statistics.refunds
            add(
                "refunds", refunds.refunds > 0 ? .warn : .ok,
                refunds.refunds > 0 ? "\(refunds.text). See 'stocktake refunds list'" : "none is due")
        } catch {
            add("dead letters", .bad, "\(error)")
        }
    }
}
