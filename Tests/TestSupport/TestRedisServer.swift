import Foundation
import Logging
import RedisClient
import Synchronization

/// A real Redis for one test: on a unix socket in a temporary folder, without persistence unless asked.
package final class TestRedisServer: Sendable {
    package enum Listening: Sendable {
        case unixSocket
        /// Also on a free port of 127.0.0.1; `url` is that one's.
        case tcp
        /// Also with TLS on a free port. The arguments name the certificates; `url` stays that of the socket.
        case tls([String])
    }

    /// Holds the socket, the log `redis.log`, and what the server saves.
    package let folder: TemporaryFolder
    package let url: RedisURL
    /// The TCP port, if there is one. A restart keeps it.
    package let port: Int?
    private let program: RedisServerProgram
    private let arguments: [String]
    private let control: RedisClient
    private let process = Mutex(ChildProcess?.none)

    /// How often another free port is tried: another process may take one between finding and using it.
    private static let portAttempts = 5

    /// Starts a server and waits until it answers.
    /// - Parameter arguments: as on the command line (`["--appendonly", "yes"]`); they win over the defaults.
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

    /// Of the process that runs now, or ran last.
    package var processID: Int32 { process.withLock { $0?.processID ?? -1 } }

    /// What the server has logged.
    package var log: String { (try? String(contentsOfFile: folder.path(of: "redis.log"), encoding: .utf8)) ?? "" }

    // MARK: Commands

    /// Sends a command over a connection that belongs to the test alone, and comes back after a restart.
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

    /// A new client, which logs nothing.
    package func client(_ options: RedisOptions = .init()) -> RedisClient {
        RedisClient(url: url, options: options, logger: silentLogger)
    }

    // MARK: Life

    /// SIGKILL, as a crash; returns when the process is gone.
    package func kill() async {
        _ = try? await process.withLock { $0 }?.kill()
    }

    /// SIGTERM: the server saves what it is configured to save. Returns when the process is gone.
    package func stop() async {
        // A paused process does not notice.
        signal(SIGCONT)
        _ = try? await process.withLock { $0 }?.stop()
    }

    /// Starts it again with the same arguments, in the same folder and on the same port. If it is running, it is
    /// stopped first.
    package func restart() async throws {
        await stop()
        try await start()
    }

    /// SIGSTOP and SIGCONT make a server that is silent, and that answers late.
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
                // A server that wants a password answers, too.
                return error.code != "LOADING"
            } catch is RedisError {
                return false
            }
        }
    }
}

/// Runs a body with a server that is gone afterwards, with its folder.
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

/// Logs nothing.
package let silentLogger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// A port of 127.0.0.1 that is free at this moment.
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
