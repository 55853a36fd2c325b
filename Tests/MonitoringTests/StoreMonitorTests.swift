import Concurrency
import Consumer
import Prometheus
import Foundation
import Domain
import Ledger
import RedisLayout
import SQLiteLedger
import Monitoring
import RedisClient
import StrictJSON
import TestSupport
import Testing

/// The operator's view of healthy and unhealthy stores.
@Suite struct StoreMonitorTests {
    @Test("A healthy store reports so, member by member")
    func well() async throws {
        try await withMonitoring { fixture async throws in
            let monitor = fixture.monitor()
            try await fixture.withConsumer {
                try await fixture.publish([
                    MonitoringFixture.order("a"), MonitoringFixture.order("b", "lamp", 2),
                    MonitoringFixture.order("c", "lamp"),
                ])
                try await eventually("all settled") {
                    let status = await monitor.status()
                    return status.outcomes.count == 3 && status.pending == 0
                }
                let status = await monitor.status()
                #expect(status.isConsumerActive && status.consumerProcess == getpid())
                #expect((status.epoch, status.seq, status.settled, status.recorded) == (1, 2, 2, 3))
                #expect((status.backlog, status.pending, status.oldestWaiting) == (0, 0, 0))
                #expect((status.orders, status.deadLetters, status.requestedReplays) == (3, 0, 0))
                #expect(
                    status.refundsDue == RefundsDue(refunds: 1, sums: [.init(currency: nil, refunds: 1, amount: 1)]))
                #expect(status.redis.isWell && status.redis.detail == nil && status.redis.version?.isEmpty == false)
                #expect(status.ledger.isWell && status.ledger.detail == nil && status.ledger.bytes > 0)
                #expect(status.outcomes.map { $0.outcome.ids.order } == ["c", "b", "a"])
                #expect(status.outcomes[0].outcome.kind == .refused && status.outcomes[0].outcome.reason == "sold_out")
                try await eventually("a comparison") {
                    if case .counters(0, _) = await monitor.status().drift { true } else { false }
                }
                let readiness = await monitor.readiness()
                #expect(readiness.isReady && readiness.detail == nil)
                #expect(readiness.counters.detail == "installed: epoch 1, seq 2")
                #expect(readiness.backlog.detail == "0 unread, 0 pending")
            }
            try await fixture.withoutConsumer(monitor)
            #expect(await monitor.readiness().detail == "consumer: none is active")
            await monitor.end()
        }
    }

    @Test("Its JSON has the members of the operator's page, in their order")
    func json() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.publish([MonitoringFixture.order("a")])
            try await fixture.consume()
            let monitor = fixture.monitor()
            try await fixture.withoutConsumer(monitor)
            try await eventually("a comparison") { await monitor.status().drift != nil }
            let status = await monitor.status()
            guard case .object(let json) = status.json else { throw TestSupportError("no object") }
            #expect(
                json.members.map(\.key) == [
                    "store", "version", "as_of", "epoch", "seq", "settled", "recorded", "unannounced", "redis",
                    "ledger", "consumer",
                    "backlog", "pending", "oldest_pending_s", "orders", "refunds_due", "dead_letters", "replays_wanted",
                    "drift", "subscribers", "outcomes",
                ])
            #expect(status.json("store") == .string("main") && status.json("version") == .string("1.2.3"))
            #expect(status.json("subscribers") == .integer(17) && status.json("oldest_pending_s")?.text == "0.000")
            #expect(status.json("consumer")?.text == #"{"active":false,"process":null}"#)
            #expect(status.json("drift", "counters") == .integer(0))
            #expect(status.json("redis", "detail") == .null && status.json("ledger", "path") == .string(fixture.path))
            guard case .array(let outcomes) = json["outcomes"], let outcome = outcomes.first else {
                throw TestSupportError("no outcomes")
            }
            #expect(
                outcome.text.hasPrefix(
                    #"{"epoch":1,"position":2,"outcome":"accepted","order_id":"a","cancellation_id":null,"adjustment_id":null,"refund_id":null,"reason":null,"seq":1,"units":1,"decided_at":"2"#
                ))
            await monitor.end()
        }
    }

    @Test("Unread and unfinished messages are counted, with the age of the oldest")
    func waiting() async throws {
        try await withMonitoring { fixture async throws in
            let monitor = fixture.monitor()
            // Before there is any consumer, stream or group.
            #expect(await monitor.status().backlog == 0)
            let old = SystemClock.milliseconds() - 90_500
            try await fixture.server.command("XADD", fixture.keys.checkouts, "\(old)-0", "type", "x", "payload", "{}")
            try await fixture.publish(["{}", "{}", "{}", "{}"])
            var status = await monitor.status()
            #expect((status.backlog, status.pending) == (5, 0) && !status.isConsumerActive)
            #expect(90_500..<200_000 ~= status.oldestWaiting ?? 0)
            #expect(fixture.metric("stocktake_backlog_messages") == "5")
            #expect(Double(fixture.metric("stocktake_oldest_waiting_seconds") ?? "") ?? 0 > 90)
            try await fixture.server.command("XGROUP", "CREATE", fixture.keys.checkouts, StoreKeys.group, "0")
            try await fixture.server.command(
                "XREADGROUP", "GROUP", StoreKeys.group, "gone", "COUNT", "2", "STREAMS", fixture.keys.checkouts, ">")
            status = await monitor.status()
            #expect((status.backlog, status.pending) == (3, 2))
            #expect(status.oldestWaiting ?? 0 > 90_000)
            #expect(fixture.metric("stocktake_pending_messages") == "2")
            // Once an unread message is deleted, Redis does not know how many are unread: they are counted.
            try await fixture.publish((0..<150).map { _ in "{}" })
            let entries = try await fixture.server.command("XRANGE", fixture.keys.checkouts, "-", "+", "COUNT", "5")
            let fourth = try #require(entries.array?[3].array?.first?.string)
            try await fixture.server.command("XDEL", fixture.keys.checkouts, fourth)
            status = await monitor.status()
            #expect(status.backlog == nil)
            #expect(await monitor.readiness().backlog.detail == "100 or more unread, 2 pending")
            try await fixture.consume()
            status = await monitor.status()
            #expect((status.backlog, status.pending, status.oldestWaiting) == (0, 0, 0))
            #expect(status.deadLetters == 154 && fixture.metric("stocktake_dead_letters_open") == "154")
            await monitor.end()
        }
    }

    @Test("An unavailable or hanging Redis is reported quickly, and the ledger's state nevertheless")
    func redisAway() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.publish([MonitoringFixture.order("a")])
            try await fixture.consume()
            let monitor = fixture.monitor()
            _ = await monitor.status()
            #expect(fixture.metric("stocktake_redis_up") == "1")
            fixture.server.signal(SIGSTOP)
            let start = ContinuousClock.now
            let hanging = await monitor.status()
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(!hanging.redis.isWell && hanging.redis.detail?.contains("does not reply") == true)
            #expect(hanging.orders == 1)
            #expect(await monitor.readiness().counters.detail == "Redis does not reply")
            await fixture.server.kill()
            let away = await monitor.status()
            #expect(!away.redis.isWell && away.redis.detail?.contains("Redis") == true)
            #expect((away.backlog, away.pending, away.settled) == (nil, nil, nil))
            #expect((away.orders, away.seq) == (1, 1) && away.ledger.isWell)
            #expect(
                fixture.metric("stocktake_redis_up") == "0" && fixture.metric("stocktake_backlog_messages") == "NaN")
            let readiness = await monitor.readiness()
            #expect(!readiness.isReady && readiness.detail == "counters: Redis cannot be reached")
            #expect(readiness.ledger.isPassed && !readiness.backlog.isPassed)
            try await fixture.server.restart()
            try await eventually("Redis") { await monitor.status().redis.version != nil }
            #expect(await monitor.readiness().counters.detail == "none are installed: no consumer has started yet")
            await monitor.end()
        }
    }

    @Test("What Redis does not allow is unknown, with its error message; everything else is reported")
    func refused() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            try await fixture.server.command("ACL", "SETUSER", "default", "-info", "-xinfo")
            let monitor = fixture.monitor()
            let status = await monitor.status()
            #expect(status.redis.isWell && status.redis.version == nil && status.backlog == nil && status.settled == 0)
            #expect(status.redis.detail?.contains("NOPERM") == true)
            let readiness = await monitor.readiness()
            #expect(readiness.counters.isPassed && !readiness.backlog.isPassed)
            #expect(readiness.backlog.detail.contains("NOPERM"))
            await monitor.end()
        }
    }

    @Test("Counters of another ledger, or ahead of this one, make a process not ready")
    func otherLedger() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.publish([MonitoringFixture.order("a")])
            try await fixture.consume()
            let monitor = fixture.monitor()
            try await fixture.server.command("HSET", fixture.keys.stock, "settled", "9")
            #expect(await monitor.readiness().counters.detail.contains("gone back in time"))
            try await fixture.server.command("HSET", fixture.keys.stock, "settled", "1", "ledger", "another")
            let status = await monitor.status()
            #expect(!status.redis.isWell && status.redis.detail == "the counters: they belong to another ledger")
            let readiness = await monitor.readiness()
            #expect(!readiness.isReady && readiness.detail == "counters: they belong to another ledger")
            try await eventually("a comparison") {
                if case .unknown(let why) = await monitor.status().drift {
                    why.contains("another ledger")
                } else {
                    false
                }
            }
            #expect(fixture.metric("stocktake_drift_counters") == "NaN")
            await monitor.end()
        }
    }

    @Test("Counters behind the ledger make a process not ready until a consumer has run")
    func behind() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            try await fixture.server.command("COPY", fixture.keys.stock, "old")
            try await fixture.publish([MonitoringFixture.order("a")])
            try await fixture.consume()
            let monitor = fixture.monitor()
            #expect(await monitor.readiness().counters.isPassed)
            try await fixture.server.command("COPY", "old", fixture.keys.stock, "REPLACE")
            let readiness = await monitor.readiness()
            #expect(!readiness.isReady && readiness.counters.detail.contains("behind the ledger"))
            let status = await monitor.status()
            #expect(!status.redis.isWell && status.redis.detail?.contains("behind the ledger") == true)
            try await fixture.consume()
            #expect(await monitor.readiness().counters.isPassed)
            await monitor.end()
        }
    }

    @Test("A ledger that is swapped or deleted makes a process not ready, and is reported")
    func ledgerGone() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            let monitor = fixture.monitor()
            #expect(await monitor.readiness().ledger.isPassed)
            #expect(fixture.metric("stocktake_ledger_up") == "1")
            let manager = FileManager.default
            try manager.moveItem(atPath: fixture.path, toPath: fixture.path + ".away")
            #expect(await monitor.readiness().ledger.detail == "the file is missing")
            try manager.copyItem(atPath: fixture.path + ".away", toPath: fixture.path)
            let readiness = await monitor.readiness()
            #expect(!readiness.isReady && readiness.detail == "ledger: another file is in its place")
            let status = await monitor.status()
            #expect(!status.ledger.isWell && status.ledger.detail?.contains("another file") == true)
            #expect(fixture.metric("stocktake_ledger_up") == "0")
            await monitor.end()
        }
    }

    @Test("A damaged ledger makes every process not ready, and is reported until another one is restored")
    func damaged() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            let monitor = fixture.monitor()
            var status = await monitor.status()
            #expect(status.json("ledger", "sound") == .bool(true) && status.json("ledger", "checked_at") != .null)
            #expect(fixture.metric("stocktake_ledger_sound") == "1")
            let lease = try #require(try await fixture.place.lease.acquire())
            await lease.note(.damaged(at: "2026-11-22T10:00:00.000Z", detail: "table orders: a page\nis not one"))
            status = await monitor.status()
            #expect(!status.ledger.isWell && status.json("ledger", "sound") == .bool(false))
            #expect(status.ledger.detail?.contains("stocktake ledger restore FILE") == true)
            #expect(fixture.metric("stocktake_ledger_sound") == "0" && fixture.metric("stocktake_ledger_up") == "0")
            let readiness = await monitor.readiness()
            #expect(readiness.detail == "ledger: it is damaged: table orders: a page is not one")
            await lease.note(LedgerSoundness?.none)
            status = await monitor.status()
            #expect(status.ledger.isWell && status.json("ledger", "sound") == .null)
            #expect(fixture.metric("stocktake_ledger_sound") == "NaN")
            await monitor.end()
        }
    }

    @Test("A ledger that cannot be written makes a process not ready", .enabled(if: geteuid() != 0))
    func notWritable() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            let monitor = fixture.monitor()
            chmod(fixture.path, 0o400)
            #expect(await monitor.readiness().ledger.detail == "the file or its log is not writable")
            chmod(fixture.path, 0o600)
            let folder = String(fixture.path[..<(fixture.path.lastIndex(of: "/") ?? fixture.path.endIndex)])
            chmod(folder, 0o500)
            #expect(await monitor.readiness().ledger.detail == "its folder is not writable")
            chmod(folder, 0o700)
            #expect(await monitor.readiness().ledger.isPassed)
            await monitor.end()
        }
    }

    @Test("A manually edited counter is drift")
    func drift() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            let monitor = fixture.monitor()
            try await fixture.server.command("HINCRBY", fixture.keys.stock, "sold:p:lamp", "1")
            try await eventually("drift") {
                if case .counters(1, _) = await monitor.status().drift { true } else { false }
            }
            #expect(fixture.metric("stocktake_drift_counters") == "1")
            await monitor.end()
        }
    }

    @Test("Nothing about a customer is reported anywhere")
    func customers() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.publish([MonitoringFixture.order("a"), MonitoringFixture.order("b", "lamp", 3)])
            try await fixture.publish([
                MonitoringFixture.order("c", "no such product"), #"{"email":"\#(MonitoringFixture.email)"}"#,
            ])
            try await fixture.publish([MonitoringFixture.order("d")], type: MonitoringFixture.name)
            try await fixture.consume()
            try await fixture.publish([MonitoringFixture.order("e")])
            for outcome in ["accepted", MonitoringFixture.email] {
                try await fixture.server.command(
                    "XADD", fixture.keys.outcomes, "*", "epoch", "1", "position", "1", "outcome", outcome,
                    "customer_email", MonitoringFixture.email)
            }
            let monitor = fixture.monitor()
            let status = await monitor.status()
            #expect((status.orders, status.deadLetters, status.backlog) == (2, 3, 1))
            // The refused order, and two dead letters, one of which is unreadable.
            #expect((status.refundsDue?.refunds, status.refundsDue?.unknownAmounts) == (3, 1))
            // Four of the consumer's, and the readable half of what was added manually.
            #expect(status.outcomes.count == 6)
            let readiness = await monitor.readiness()
            let texts = [
                status.json.text, readiness.checks.text, readiness.detail ?? "",
                String(decoding: fixture.registry.render(), as: UTF8.self),
            ]
            for text in texts {
                for secret in [MonitoringFixture.email, MonitoringFixture.name, "cus_1", "Example Road"] {
                    #expect(!text.contains(secret), "\(secret) in \(text)")
                }
            }
            await monitor.end()
        }
    }

    @Test("Metrics of the consumer and of a check are shown, each with its type and its description")
    func metrics() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.publish([MonitoringFixture.order("a"), MonitoringFixture.order("b", "lamp", 3)])
            try await fixture.consume()
            let monitor = fixture.monitor()
            _ = await monitor.status()
            let lines = String(decoding: fixture.registry.render(), as: UTF8.self).split(separator: "\n")
            let described = lines.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] }
            let typed = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2...] }
            #expect(described == typed.map { $0[2] } && !lines.contains { $0.hasPrefix("# not shown") })
            // All except those of the periodic reconciler and of HTTP.
            let elsewhere: Set<String> = [
                "stocktake_reconciliations_total", "stocktake_repairs_total", "stocktake_http_requests_total",
                "stocktake_reads_total", "stocktake_read_round_trips_total", "stocktake_subscribers",
                "stocktake_events_total", "stocktake_events_missed_total", "stocktake_http_unread_bytes",
                "stocktake_http_cut_off_total",
            ]
            let expected = MetricDescription.all.filter { !elsewhere.contains($0.name) }
            #expect(
                typed.map { $0.joined(separator: " ") } == expected.map { "\($0.name) \($0.kind.typeName)" }.sorted())
            #expect(lines.contains(#"stocktake_outcomes_total{outcome="refused",reason="insufficient"} 1"#))
            #expect(lines.contains("stocktake_batch_messages_sum 2"))
            #expect(fixture.metric("stocktake_consumer_active") == "0")
            await monitor.end()
        }
    }

    @Test("Concurrent requests share one check")
    func shared() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            var limits = StoreMonitor.Limits()
            limits.freshness = .seconds(60)
            limits.driftInterval = .seconds(60)
            let monitor = fixture.monitor(limits)
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        if index % 2 == 0 { _ = await monitor.status() } else { _ = await monitor.readiness() }
                    }
                }
            }
            _ = await monitor.status()
            let statistics = try await fixture.server.command("INFO", "commandstats").info
            #expect(statistics["cmdstat_xrevrange"]?.hasPrefix("calls=1,") == true, "\(statistics)")
            // Cancelling one caller does not cancel the check that the others await.
            let other = fixture.monitor()
            let impatient = Task { await other.status() }
            impatient.cancel()
            #expect(await impatient.value.orders == 0)
            await monitor.end()
            await other.end()
        }
    }

    @Test("After its end it checks nothing, not even a closed ledger, and never reports ready")
    func ended() async throws {
        try await withMonitoring { fixture async throws in
            try await fixture.consume()
            let ledger = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .reader)
            let monitor = StoreMonitor(
                ledger: ledger, lease: fixture.place.lease, redis: fixture.client, version: "1",
                limits: MonitoringFixture.eager, metrics: fixture.registry)
            #expect(await monitor.readiness().counters.isPassed)
            _ = await monitor.status()
            await monitor.end()
            try ledger.close()
            #expect(await monitor.status().orders == nil)
            #expect(await monitor.readiness().detail == "counters: the process is ending")
        }
    }
}
