import Concurrency
import Glibc
import Logging
import Files
import RedisClient
import ServiceLifecycle
import Subprocess

/// The Redis that `run` keeps for itself when no other is named: a `redis-server` with an append-only file, reachable
/// through a unix socket in the data folder and no other way.
///
/// The process that holds its lock keeps it running; others wait for it to answer. The server puts itself into the
/// background, so that Ctrl-C in a terminal reaches the consumer first, and one that a crash left behind is found and
/// used again.
package actor PrivateRedis: Service {
    /// Where it lives.
    package struct Location: Sendable {
        /// Absolute path of the data folder, in which all its files are.
        package let data: String

        package init(data: String) { self.data = data }

        package var socket: String { data + "/redis.sock" }
        /// Of the append-only file; missing: it has never run.
        var folder: String { data + "/redis" }
        var log: String { data + "/redis.log" }
        var lock: String { data + "/redis.lock" }
        var processID: String { data + "/redis.pid" }
    }

    private let location: Location
    private let logger: Logger
    /// Held by the process that keeps the server running.
    private var lock: FileLock?

    /// How often it is looked at.
    private static let interval = Duration.milliseconds(500)
    /// How long a server may take until it listens.
    private static let startLimit = Duration.seconds(20)
    /// How long it is waited for until it has loaded its data; clients wait for the rest.
    private static let loadTime = Duration.seconds(2)

    private var url: RedisURL { RedisURL(unixSocket: location.socket) }

    package init(_ location: Location, logger: Logger) {
        self.location = location
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopSignal()
        try await withGracefulShutdownHandler {
            while !stop.isRequested {
                try await keepRunning()
                try? await stop.pause(Self.interval)
            }
            await end()
        } onGracefulShutdown: {
            stop.request()
        }
    }

    /// Ensures that a server runs: starts one if there is none and no other process is responsible for it.
    ///
    /// Only if there is none: a server that hangs or loads its data counts as there. A second one on the same
    /// append-only file would take messages that the first one then overwrites.
    package func keepRunning() async throws {
        if lock == nil { lock = try FileLock.acquire(location.lock) }
        if lock != nil, !exists { try await start() }
    }

    /// Ends the server, if this process is responsible for it.
    package func end() async {
        if lock != nil { await shutDown() }
        lock = nil
    }

    /// Whether a server listens, answering or not, or lives without its socket.
    private var exists: Bool { isListening || isAlive }

    private var isListening: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard var address = FilePath.socketAddress(location.socket) else { return false }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // EAGAIN: a server listens, and its backlog is full.
        return result == 0 || errno == EAGAIN || errno == EINPROGRESS
    }

    /// The server that wrote the pid file lives: its command line names our socket.
    private var isAlive: Bool {
        guard let bytes = FilePath.contents(of: location.processID),
            let number = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)),
            let commandLine = FilePath.contents(of: "/proc/\(number)/cmdline")
        else { return false }
        let text = FilePath.text(commandLine)
        return text.contains("redis-server") && text.contains(location.socket)
    }

    /// Starts the server and waits until it answers.
    private func start() async throws {
        FilePath.makeFolder(location.folder, mode: 0o700)
        let arguments = [
            "--port", "0", "--unixsocket", location.socket, "--unixsocketperm", "700", "--dir", location.folder,
            // A message that was published is on disk before the publisher gets the reply.
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "yes", "--pidfile", location.processID, "--logfile", location.log,
        ]
        logger.debug("starting redis-server", metadata: ["socket": "\(location.socket)"])
        // It goes into the background itself: the process started here ends at once.
        let result = try? await Subprocess.run(
            .name("redis-server"), arguments: Arguments(arguments.map { FilePath.bytes($0) + [0] }), output: .discarded,
            error: .discarded)
        guard let result, result.terminationStatus.isSuccess else {
            let why = result == nil ? "redis-server is not installed" : "it ended at once (see \(location.log))"
            throw OperationError.privateRedis(
                socket: location.socket,
                reason: "\(why). Install it ('scripts/setup'), or name another Redis with --redis-url.")
        }
        // It listens before it has loaded its data, which may take as long as it takes: clients wait for that.
        let deadline = ContinuousClock.now + Self.startLimit
        while !isListening {
            guard ContinuousClock.now < deadline else {
                throw OperationError.privateRedis(
                    socket: location.socket,
                    reason: "it does not listen. See \(location.log); a socket's path must be shorter than 108 bytes.")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        // Few data are loaded in a moment; waiting for that spares the clients a warning.
        let loaded = ContinuousClock.now + Self.loadTime
        while ContinuousClock.now < loaded {
            if let connection = try? await RedisConnection.connect(to: url) { return await connection.close() }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends it politely; its data are on disk already.
    private func shutDown() async {
        guard let connection = try? await RedisConnection.connect(to: url) else { return }
        // The answer to SHUTDOWN is the end of the connection.
        _ = try? await connection.send(RedisCommand("SHUTDOWN", "NOSAVE"))
        await connection.close()
    }
}
