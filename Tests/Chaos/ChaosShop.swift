import Foundation
import Domain
import RedisClient
import RedisLayout
import TestSupport

/// A shop to break: a real Redis, a ledger on a small disk, a proxy between consumers and Redis, the real binary.
final class ChaosShop: Sendable {
    let folder: TemporaryFolder
    let disk: SmallDisk?
    let redis: TestRedisServer
    /// Between consumers and Redis.
    let proxy: FaultyProxy
    /// Between readers and Redis.
    let readersProxy: FaultyProxy
    let binary: String
    let keys = StoreKeys(store: "main")

    var ledger: String { folder.path(of: "disk/ledger.sqlite") }
    var rows: LedgerRows { LedgerRows(path: ledger) }

    init() async throws {
        binary = try builtBinary("stocktake")
        folder = try TemporaryFolder()
        disk = try await SmallDisk.mount(at: folder.path(of: "disk"), bytes: ChaosSettings.diskBytes)
        do {
            redis = try await TestRedisServer.start(
                [
                    "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes",
                    "--busy-reply-threshold", "100", "--stop-writes-on-bgsave-error", "no", "--repl-diskless-load",
                    "disabled", "--user", Self.user, "on", ">\(Self.password)",
                ] + Self.rights())
            proxy = try FaultyProxy(at: folder.path(of: "proxy.sock"), to: redis.socketPath)
            readersProxy = try FaultyProxy(at: folder.path(of: "readers.sock"), to: redis.socketPath)
        } catch {
            await disk?.unmount()
            throw error
        }
    }

    /// The consumers' Redis user, with the rights that config/redis.conf grants; operators and publishers have all
    /// rights.
    static let user = "stocktake"
    private static let password = "chaos"

    private static func rights() throws -> [String] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../config/redis.conf")
        let line = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").first {
            $0.hasPrefix("# user \(user) ")
        }
        guard let line else { throw TestSupportError("no user \(user) in \(file.path)") }
        // "# user NAME on >PASSWORD", then the rights.
        return line.split(separator: " ").dropFirst(5).map(String.init)
    }

    /// Ends all processes. The folder exists as long as this object.
    func close() async {
        proxy.close()
        readersProxy.close()
        await redis.kill()
        await disk?.unmount()
    }

    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// How a process connects to Redis.
    enum Role: Sendable {
        /// Directly, and with all rights.
        case person
        case consumer
        case reader
    }

    func start(_ arguments: [String], as role: Role = .person, environment more: [String: String] = [:]) throws
        -> ChildProcess
    {
        let url =
            switch role {
            case .person: "unix://\(redis.socketPath)"
            case .consumer: "unix://\(proxy.path)?user=\(Self.user)&password=\(Self.password)"
            case .reader: "unix://\(readersProxy.path)?user=\(Self.user)&password=\(Self.password)"
            }
        let own = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "LANG", "TMPDIR"].contains($0.key) }
        let settings = [
            "STOCKTAKE_REDIS_URL": url,
            "STOCKTAKE_LEDGER": ledger, "STOCKTAKE_DATA": folder.path, "STOCKTAKE_LOG_LEVEL": "notice",
        ]
        return try ChildProcess(
            binary, arguments, environment: own.merging(settings) { $1 }.merging(more) { $1 },
            inheritsEnvironment: false)
    }

    /// Runs a subcommand to its end.
    func run(
        _ arguments: [String], within limit: Duration = .seconds(60), environment: [String: String] = [:]
    ) async throws -> Result {
        let process = try start(arguments, environment: environment)
        switch try await process.waitForEnding(within: limit) {
        case .exited(let status):
            return Result(status: status, output: process.standardOutput, errors: process.standardError)
        case .signalled(let signal):
            throw TestSupportError("stocktake \(arguments) died of signal \(signal): \(process.standardError)")
        }
    }
}
