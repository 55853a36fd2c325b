import Consumer
import Glibc
import Logging
import RedisClient
import ServiceLifecycle
import Subprocess

/// The Redis that `run` keeps for itself when no other is named: a `redis-server` with an append-only file, reachable
/// through a unix socket in the data folder and no other way.
///
/// Whoever holds its lock keeps it running; others wait for it to answer. The server puts itself into the background,
/// so that Ctrl-C in a terminal reaches the consumer first, and one that a crash left behind is found and used again.
actor PrivateRedis: Service {
    private let settings: Settings
    private let logger: Logger
    /// Held by the process that keeps the server running.
    private var lock: ProcessLock?

    /// How often it is looked at.
    private static let interval = Duration.milliseconds(500)
    /// How long a server may take to load its data and answer.
    private static let startLimit = Duration.seconds(60)

    private var url: RedisURL { RedisURL(unixSocket: settings.privateSocket) }

    init(settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    func run() async throws {
        let stop = StopSignal()
        try await withGracefulShutdownHandler {
            while !stop.isRequested {
                try await keepRunning()
                try? await stop.pause(Self.interval)
            }
            if lock != nil { await shutDown() }
            lock = nil
        } onGracefulShutdown: {
            stop.request()
        }
    }

    /// Starts the server if it does not answer and nobody else sees to it.
    func keepRunning() async throws {
        if lock == nil { lock = try ProcessLock.acquire(settings.data + "/redis.lock") }
        if lock != nil, !(await answers()) { try await start() }
    }

    /// Starts the server and waits until it answers.
    func start() async throws {
        let folder = settings.data + "/redis"
        let log = settings.data + "/redis.log"
        mkdir(folder, 0o700)
        let arguments = [
            "--port", "0", "--unixsocket", settings.privateSocket, "--unixsocketperm", "700", "--dir", folder,
            // A message that was published is on disk before the publisher hears so.
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "yes", "--pidfile", settings.data + "/redis.pid", "--logfile", log,
        ]
        logger.debug("starting redis-server", metadata: ["socket": "\(settings.privateSocket)"])
        // It goes into the background itself: the process started here ends at once.
        let result = try? await Subprocess.run(
            .name("redis-server"), arguments: Arguments(arguments), output: .discarded, error: .discarded)
        guard let result, result.terminationStatus.isSuccess else {
            let why = result == nil ? "redis-server is not installed" : "it ended at once (see \(log))"
            throw Failure(
                "starting the private Redis failed: on \(settings.privateSocket): \(why). Install it ('scripts/setup'), or name another Redis with --redis-url."
            )
        }
        let deadline = ContinuousClock.now + Self.startLimit
        while !(await answers()) {
            guard ContinuousClock.now < deadline else {
                throw Failure(
                    "starting the private Redis failed: on \(settings.privateSocket): it does not answer. See \(log); a socket's path must be shorter than 108 bytes."
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Whether it answers, having loaded its data.
    func answers() async -> Bool {
        do {
            let connection = try await RedisConnection.connect(to: url)
            let reply = try? await connection.send(RedisCommand("PING"))
            await connection.close()
            return reply?.string == "PONG"
        } catch {
            return false
        }
    }

    /// Ends it politely; its data are on disk already.
    func shutDown() async {
        guard let connection = try? await RedisConnection.connect(to: url) else { return }
        // The answer to SHUTDOWN is the end of the connection.
        _ = try? await connection.send(RedisCommand("SHUTDOWN", "NOSAVE"))
        await connection.close()
    }
}
