import Concurrency
import Glibc
import Logging
import Files
import RedisClient
import ServiceLifecycle
import Subprocess

/// The private Redis that `run` starts if no Redis URL is set: a `redis-server` with an append-only file, reachable
/// only through a Unix socket in the data folder.
///
/// The process that holds its lock keeps it running; others wait until it responds. The server daemonises itself, so
/// that Ctrl-C in a terminal reaches the consumer first. A server that a crash left behind is found and reused.
package actor PrivateRedis: Service {
    /// The paths of the server's files.
    package struct Location: Sendable {
        /// The absolute path of the data folder, which contains all its files.
        package let data: String

        package init(data: String) { self.data = data }

        package var socket: String { data + "/redis.sock" }
        /// The folder of the append-only file; if it is missing, the server has never run.
        var folder: String { data + "/redis" }
        var log: String { data + "/redis.log" }
        var lock: String { data + "/redis.lock" }
        var processID: String { data + "/redis.pid" }
    }

    private let location: Location
    private let logger: Logger
    /// Held by the process that keeps the server running.
    private var lock: FileLock?

    /// How often the server is checked.
    private static let interval = Duration.milliseconds(500)
    /// How long a server may take until it listens.
    private static let startLimit = Duration.seconds(20)
    /// How long the start waits for the server to load its data; after that, clients wait.
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
    /// A server that hangs or is loading its data counts as running: a second one on the same append-only file would
    /// accept messages that the first one then overwrites.
    package func keepRunning() async throws {
        if lock == nil { lock = try FileLock.acquire(location.lock) }
        if lock != nil, !exists { try await start() }
    }

    /// Shuts the server down if this process is responsible for it.
    package func end() async {
        if lock != nil { await shutDown() }
        lock = nil
    }

    /// Whether a server listens, responsive or not, or is alive without its socket.
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

    /// Whether the server that wrote the pid file is alive: its command line names our socket.
    private var isAlive: Bool {
        guard let bytes = FilePath.contents(of: location.processID),
            let number = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)),
            let commandLine = FilePath.contents(of: "/proc/\(number)/cmdline")
        else { return false }
        let text = FilePath.text(commandLine)
        return text.contains("redis-server") && text.contains(location.socket)
    }

    /// Starts the server and waits until it responds.
    private func start() async throws {
        FilePath.makeFolder(location.folder, mode: 0o700)
        let arguments = [
            "--port", "0", "--unixsocket", location.socket, "--unixsocketperm", "700", "--dir", location.folder,
            // A published message is on disk before the publisher receives the reply.
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "yes", "--pidfile", location.processID, "--logfile", location.log,
        ]
        logger.debug("starting redis-server", metadata: ["socket": "\(location.socket)"])
        // The server daemonises itself: the process started here exits at once.
        let result = try? await Subprocess.run(
            .name("redis-server"), arguments: Arguments(arguments.map { FilePath.bytes($0) + [0] }), output: .discarded,
            error: .discarded)
        guard let result, result.terminationStatus.isSuccess else {
            let why = result == nil ? "redis-server is not installed" : "it exited at once (see \(location.log))"
            throw OperationError.privateRedis(
                socket: location.socket,
                reason: "\(why). Install it ('scripts/setup'), or name another Redis with --redis-url.")
        }
        // The server listens before it has loaded its data, which has no time limit: clients wait for that.
        let deadline = ContinuousClock.now + Self.startLimit
        while !isListening {
            guard ContinuousClock.now < deadline else {
                throw OperationError.privateRedis(
                    socket: location.socket,
                    reason: "it does not listen. See \(location.log); a socket's path must be shorter than 108 bytes.")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        // A small data set loads quickly: waiting for it here spares the clients a warning.
        let loaded = ContinuousClock.now + Self.loadTime
        while ContinuousClock.now < loaded {
            if let connection = try? await RedisConnection.connect(to: url) { return await connection.close() }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Shuts the server down; its data is already on disk.
    private func shutDown() async {
        guard let connection = try? await RedisConnection.connect(to: url) else { return }
        // The server replies to SHUTDOWN by closing the connection.
        _ = try? await connection.send(RedisCommand("SHUTDOWN", "NOSAVE"))
        await connection.close()
    }
}
