import ArgumentParser
import CMalloc
import Consumer
import Counters
import Glibc
import Domain
import Ledger
import Logging
import Operations
import Files
import Reconciliation
import RedisClient
import ServiceLifecycle
import TextEncodings

struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Decides and records the messages of one store, or stands by while another process does.",
        discussion: "Exit codes: 0 after SIGTERM, or when idle with --until-idle; 2 continuing would be unsafe.")

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Exit when no message is unread or pending.")
    var untilIdle = false

    func run() async throws {
        LineWriter.becomeService()
        setUpMalloc()
        let settings = try options.resolve()
        try await settings.ledger.requireExistence()
        let logger = settings.logger()
        var operatorServices: [any Service] = []
        // Not with `--until-idle`: the run is too short to watch, and a reader that outlives the consumer would prevent
        // the consumer's final clean-up of the ledger.
        if settings.http.operatorPort != nil, !untilIdle {
            operatorServices = try await HTTPServices(settings, logger: logger).operatorOnly()
        }
        try await runServices([consumerService(settings, untilIdle: untilIdle)] + operatorServices, logger: logger)
    }
}

/// Configures malloc to keep the memory that a batch frees: the next batch allocates it again.
private func setUpMalloc() {
    // One arena per thread, each with its own fragmentation, would take 10 % more memory; a single arena, 10 % more time.
    mallopt(M_ARENA_MAX, 2)
    // The system zeroes memory that is returned to it and requested again for every batch.
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 32 << 20)
    mallopt(M_TOP_PAD, 4 << 20)
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Runs all in one process: consumer, HTTP and, without a Redis URL, a private redis-server in the data folder.",
        discussion:
            "Serves no HTTP with --until-idle. Creates the ledger if there is none. Exit codes: 0 after SIGTERM, or when idle with --until-idle; 2 continuing would be unsafe."
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Exit when no message is unread or pending.")
    var untilIdle = false

    func run() async throws {
        LineWriter.becomeService()
        setUpMalloc()
        let settings = try options.resolve()
        let logger = settings.logger()
        let http = HTTPServices(settings, logger: logger)
        if settings.redisURL == nil, FilePath.socketAddress(settings.privateRedis.socket) == nil {
            throw ValidationError(
                "The data folder's path is too long for a socket in it (at most \(RedisURL.maximumSocketPathBytes) bytes with /redis.sock). Choose a shorter path with --data."
            )
        }
        try await settings.createLedgerIfMissing()
        try await warnOfEmptyCatalogue(settings)
        // As in `consume`: a run until idle serves no HTTP.
        let httpServices = untilIdle ? [] : try await http.all(decides: true)
        // In start order; they stop in reverse order.
        var services: [any Service] = []
        if settings.redisURL == nil {
            // The ledger may be elsewhere, so nothing may have created the folder yet.
            FilePath.makeFolder(settings.data, mode: 0o700)
            let redis = PrivateRedis(settings.privateRedis, logger: logger)
            try await redis.keepRunning()
            services.append(redis)
        }
        services.append(consumerService(settings, untilIdle: untilIdle))
        services += httpServices
        try await runServices(services, logger: logger)
    }

    private func warnOfEmptyCatalogue(_ settings: Settings) async throws {
        let ledger = try await settings.ledger.openReader(settings.store)
        defer { try? ledger.close() }
        if try await ledger.stock().products.isEmpty {
            printError(
                "The catalogue is empty, so every order would be a dead letter. Import one: stocktake sync config/products.json"
            )
        }
    }
}

private func consumerService(_ settings: Settings, untilIdle: Bool) -> ConsumerService {
    var consumer = settings.consumer
    consumer.untilIdle = untilIdle
    var service = ConsumerService(
        settings: consumer, ledger: settings.ledger, store: settings.store, redisURL: settings.redis,
        redisOptions: settings.redisOptions, logger: settings.logger()
    ) { status in
        switch status {
        case .standingBy(let holder):
            say(
                "standing by: \(holder.map { "process \($0)" } ?? "another process") consumes store \(settings.store)")
        case .active(let epoch, let seq):
            say(
                "consuming store \(settings.store) from \(settings.redis.redacted): epoch \(epoch), seq \(seq), process \(getpid())"
            )
        case .stopped(let totals):
            say(
                "stopped: \(totals[.accepted].grouped) accepted, \(totals[.refused].grouped) refused, \(totals.changes)\(totals[.deadLetter].counted("dead letter")), \(totals.replays.counted("replay"))"
            )
        }
    }
    if let interval = settings.reconcileInterval {
        service.companion = { await reconcile(settings, every: interval) }
    }
    return service
}

/// Compares counters and ledger periodically until cancelled, over separate connections: the consumer's must not wait for
/// a comparison.
private func reconcile(_ settings: Settings, every interval: Duration) async {
    let ledger: any LedgerAdmin
    do {
        ledger = try await settings.ledger.openAdmin(settings.store)
    } catch {
        return settings.logger().error("counters and ledger are not compared", metadata: ["error": "\(error)"])
    }
    defer { try? ledger.close() }
    // The consumer already logs what it cannot reach.
    let client = settings.client()
    let reconciler = Reconciler(
        ledger: ledger, counters: CounterReader(keys: settings.keys, client: client), redis: settings.redis.redacted)
    await PeriodicReconciler(reconciler, repairing: ledger, every: interval, logger: settings.logger()).run()
    await client.close()
}

/// Runs services until one of them ends or the process receives a stop signal; returns when all have ended.
func runServices(_ services: [any Service], logger: Logger) async throws {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint] + (isHangUpIgnored ? [] : [.sighup]), logger: quiet))
    try await group.run()
}

/// Whether the process was started to outlive its terminal, as `nohup` does.
private var isHangUpIgnored: Bool {
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    // SIG_IGN is 1, which is not a function's address: only the bits can be compared.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
}

extension ConsumerTotals {
    /// The counts of changes other than orders, each followed by a comma.
    fileprivate var changes: String {
        Command.Kind.allCases.filter { $0 != .placeOrder && self[$0.outcome] > 0 }
            .map { "\(self[$0.outcome].grouped) \($0.outcome.rawValue), " }.joined()
    }
}
