import Foundation
import Logging
import RedisClient
import Synchronization

/// A real Redis for one test: on a unix socket in a temporary folder, without persistence unless requested.
package final class TestRedisServer: Sendable {
    package enum Listening: Sendable {
        case unixSocket
        /// Also on a free port of 127.0.0.1, which `url` then contains.
        case tcp
        /// Also with TLS on a free port. The arguments name the certificates; `url` remains that of the socket.
        case tls([String])
    }

    /// Contains the socket, the log `redis.log`, and the server's data files.
    package let folder: TemporaryFolder
    package let url: RedisURL
    /// The TCP port, if there is one. A restart keeps it.
    package let port: Int?
    private let program: RedisServerProgram
    private let arguments: [String]
    private let control: RedisClient
    private let process = Mutex(ChildProcess?.none)

    /// The number of attempts to find a free port: another process may take a port before the server uses it.
    private static let portAttempts = 5

    /// Starts a server and waits until it replies.
    /// - Parameter arguments: command-line arguments (`["--appendonly", "yes"]`); they override the defaults.
    package static func start(
        _ arguments: [String] = [], listening: Listening = .unixSocket, in folder: TemporaryFolder? = nil,
        on program: RedisServerProgram = .chosen
    ) async throws -> TestRedisServer {
        let folder = try folder ?? TemporaryFolder()
        var attempt = 1
        while true {
            let server = try TestRedisServer(program, arguments, listening, folder)
            do {
                try await server.start()
                return server
            } catch let error as TestSupportError {
                guard server.port != nil, attempt < portAttempts, server.log.contains("already in use") else {
                    throw error
                }
                attempt += 1
            }
        }
    }

    private init(
        _ program: RedisServerProgram, _ arguments: [String], _ listening: Listening, _ folder: TemporaryFolder
    ) throws {
        self.program = program
        self.folder = folder
        let socket = folder.path(of: "redis.sock")
        var defaults = [
            "--unixsocket", socket, "--dir", folder.path, "--logfile", folder.path(of: "redis.log"), "--save", "",
            "--appendonly", "no", "--daemonize", "no",
        ]
        switch listening {
        case .unixSocket:
            port = nil
            url = RedisURL(unixSocket: socket)
            defaults += ["--port", "0"]
        case .tcp:
            let free = try freePort()
            port = free
            url = try RedisURL("redis://127.0.0.1:\(free)")
            defaults += ["--port", "\(free)", "--bind", "127.0.0.1"]
        case .tls(let certificates):
            let free = try freePort()
            port = free
            url = RedisURL(unixSocket: socket)
            defaults += ["--port", "0", "--tls-port", "\(free)", "--bind", "127.0.0.1"] + certificates
        }
        self.arguments = defaults + arguments
        control = RedisClient(url: RedisURL(unixSocket: socket), logger: silentLogger)
    }

    package var socketPath: String { folder.path(of: "redis.sock") }

    /// The id of the current process, or of the last one.
    package var processID: Int32 { process.withLock { $0?.processID ?? -1 } }

    /// The server's log.
    package var log: String { (try? String(contentsOfFile: folder.path(of: "redis.log"), encoding: .utf8)) ?? "" }

    // MARK: Commands

    /// Sends a command over a connection that only the test uses, and which reconnects after a restart.
    /// - Throws: `RedisError`, also for an error reply.
    @discardableResult
    package func command(_ name: String, _ arguments: String...) async throws -> RedisValue {
        try await command(name, arguments)
    }

    @discardableResult
    package func command(_ name: String, _ arguments: [String]) async throws -> RedisValue {
        try await control.waitUntilConnected(within: .seconds(10))
        var command = RedisCommand(name, capacity: 0)
        command.append(contentsOf: arguments)
        return try await control.send(command)
    }

    /// Creates a client that logs nothing.
    package func client(_ options: RedisOptions = .init()) -> RedisClient {
        RedisClient(url: url, options: options, logger: silentLogger)
    }

    // MARK: Life

    /// Sends SIGKILL, like a crash, and returns when the process has ended.
    package func kill() async {
        _ = try? await process.withLock { $0 }?.kill()
    }

    /// Sends SIGTERM, so that the server saves what it is configured to save, and returns when the process has ended.
    package func stop() async {
        // A paused process does not receive SIGTERM.
        signal(SIGCONT)
        _ = try? await process.withLock { $0 }?.stop()
    }

    /// Starts the server again with the same arguments, in the same folder and on the same port. A running server is
    /// stopped first.
    package func restart() async throws {
        await stop()
        try await start()
    }

    /// Sends a signal: SIGSTOP makes the server silent, and SIGCONT makes it reply late.
    package func signal(_ number: Int32) { process.withLock { $0 }?.signal(number) }

    private func start() async throws {
        let process = try ChildProcess(program.executable, arguments, inheritsEnvironment: true)
        self.process.withLock { $0 = process }
        var options = RedisOptions()
        options.connectTimeout = .seconds(2)
        try await eventually(within: .seconds(20), "\(program) in \(folder.path) to answer") {
            if let ending = process.ending {
                throw TestSupportError("\(program) ended (\(ending)): \(process.standardError)\(log.suffix(2_000))")
            }
            do {
                try await RedisConnection.connect(to: RedisURL(unixSocket: socketPath), options: options).close()
                return true
            } catch RedisError.reply(let error, _) {
                // A server that requires a password has started, too.
                return error.code != "LOADING"
            } catch is RedisError {
                return false
            }
        }
    }
}

/// Runs `body` with a server that is killed afterwards and whose folder is removed.
package func withRedisServer<R>(
    _ arguments: [String] = [], listening: TestRedisServer.Listening = .unixSocket,
    on program: RedisServerProgram = .chosen, isolation: isolated (any Actor)? = #isolation,
    _ body: (TestRedisServer) async throws -> R
) async throws -> R {
    let server = try await TestRedisServer.start(arguments, listening: listening, on: program)
    do {
        let result = try await body(server)
        await server.kill()
        return result
    } catch {
        await server.kill()
        throw error
    }
}

/// A logger that discards everything.
package let silentLogger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// Returns a port of 127.0.0.1 that is currently free.
package func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else { throw TestSupportError("no free port: \(String(cString: strerror(errno)))") }
    return Int(UInt16(bigEndian: address.sin_port))
}
