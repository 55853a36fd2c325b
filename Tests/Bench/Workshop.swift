import Foundation
import Glibc
import Domain
import RedisClient
import RedisLayout
import TestSupport

/// A run's environment: a folder on a real disk, a private Redis, and the release binary to drive them.
final class Workshop: Sendable {
    let scale: Scale
    let progress: Progress
    let folder: TemporaryFolder
    let fileSystem: String
    let binary: String
    /// Without persistence, so that all disk activity is the ledger's. On a unix socket and on a port.
    let redis: TestRedisServer
    let client: RedisClient
    let keys = StoreKeys(store: "main")

    static func open(_ scale: Scale, groups: [RowGroup]) async throws -> Workshop {
        if Machine.isDebugBuild {
            throw BenchError("measuring failed: on a debug build: its results are meaningless. Run scripts/bench.")
        }
        for program in Set(groups.flatMap(\.needs)) where program.path == nil {
            throw BenchError(
                "measuring failed: on \(program.rawValue): it is not installed. Run scripts/setup --bench, or leave its rows out with --only."
            )
        }
        let progress = Progress(scale, groups: groups)
        let folder = try TemporaryFolder()
        let system = try fileSystem(of: folder.path)
        let redis = try await TestRedisServer.start(listening: .tcp, in: folder)
        let workshop = Workshop(
            scale: scale, progress: progress, folder: folder, fileSystem: system, binary: try builtBinary("stocktake"),
            redis: redis)
        progress.say("\(folder.path) (\(system)), \(scale.rounds) rounds, at most \(scale.limitSeconds) s")
        return workshop
    }

    private init(
        scale: Scale, progress: Progress, folder: TemporaryFolder, fileSystem: String, binary: String,
        redis: TestRedisServer
    ) {
        self.scale = scale
        self.progress = progress
        self.folder = folder
        self.fileSystem = fileSystem
        self.binary = binary
        self.redis = redis
        client = Self.client(of: redis)
    }

    func close() async {
        await client.close()
        await redis.kill()
    }

    /// Through the socket, like the consumer.
    static func client(of server: TestRedisServer) -> RedisClient {
        var options = RedisOptions()
        // Copying or removing a long stream takes a while.
        options.commandTimeout = .seconds(60)
        return RedisClient(url: RedisURL(unixSocket: server.socketPath), options: options, logger: silentLogger)
    }

    /// - Throws: If it is in memory, where a commit costs nothing.
    private static func fileSystem(of path: String) throws -> String {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        var deepest: (point: String, type: String)?
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ").map { String($0) }
            guard words.count > 2 else { continue }
            let point = words[1] == "/" ? "/" : words[1] + "/"
            if path.hasPrefix(point), point.count >= deepest?.point.count ?? 0 { deepest = (point, words[2]) }
        }
        let type = deepest?.type
        if type == "tmpfs" {
            throw BenchError(
                "measuring failed: on \(path): it is in memory (tmpfs), where a commit costs nothing. Set TMPDIR to a folder on a disk."
            )
        }
        return type ?? "unknown file system"
    }

    // MARK: - Programs

    /// Starts a subcommand and leaves it running.
    func start(_ arguments: [String], ledger: String, redis: String? = nil) throws -> ChildProcess {
        let own = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "LANG", "TMPDIR"].contains($0.key) }
        let settings = [
            "STOCKTAKE_REDIS_URL": redis ?? "unix://\(self.redis.socketPath)", "STOCKTAKE_LEDGER": ledger,
            "STOCKTAKE_DATA": folder.path, "STOCKTAKE_LOG_LEVEL": "warning", "STOCKTAKE_HTTP_PORT": "0",
        ]
        let port = arguments.first == "serve" ? ["STOCKTAKE_OPERATOR_PORT": "0"] : [:]
        return try ChildProcess(
            binary, arguments, environment: own.merging(settings) { $1 }.merging(port) { $1 },
            inheritsEnvironment: false)
    }

    /// Runs a subcommand to its end, which must be successful.
    @discardableResult
    func run(_ arguments: [String], ledger: String, within limit: Duration = .seconds(120)) async throws -> String {
        try await Self.output(of: try start(arguments, ledger: ledger), "stocktake \(arguments[0])", within: limit)
    }

    /// The output of another program, which must succeed.
    @discardableResult
    func output(
        _ program: String, _ arguments: [String] = [], input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> String {
        let process = try ChildProcess(program, arguments, standardInput: input)
        return try await Self.output(of: process, program, within: limit)
    }

    private static func output(of process: ChildProcess, _ name: String, within limit: Duration) async throws -> String
    {
        let ending = try await process.waitForEnding(within: limit)
        guard ending == .exited(0) else {
            throw BenchError(
                "running a program failed: on \(name): it ended (\(ending)): \(process.standardError.suffix(2_000))\(process.standardOutput.suffix(500))"
            )
        }
        return process.standardOutput
    }

    /// Flushes written data to the disk, so that one measurement's rest does not disturb the next.
    func calmDisk() async throws {
        try await output("sync", within: .seconds(120))
    }

    /// How long a write of 4 KiB currently takes until it is on the disk: the mean of several.
    func flushMilliseconds() async throws -> Double {
        let (count, file) = (100, folder.path(of: "flush"))
        let began = ContinuousClock.now
        try await output("dd", ["if=/dev/zero", "of=\(file)", "bs=4096", "count=\(count)", "oflag=dsync"])
        defer { try? FileManager.default.removeItem(atPath: file) }
        return (ContinuousClock.now - began) / .milliseconds(count)
    }

    // MARK: - Rounds

    /// Calls `body` for each round, 1, 2, 3 …; the compared programs take turns in it. Ends early, after at least one
    /// round, if another one would use the time of later groups.
    func rounds(
        of group: RowGroup, _ body: (_ round: Int) async throws -> String
    ) async throws {
        var longest = Duration.zero
        for round in 1...scale.rounds {
            if round > 1, progress.isOver(for: group, after: longest) {
                return progress.say("\(group.rawValue): the time is over after \(round - 1) rounds")
            }
            let began = ContinuousClock.now
            let said = try await body(round)
            longest = max(longest, ContinuousClock.now - began)
            progress.say("\(group.rawValue), round \(round) of \(scale.rounds): \(said)")
        }
    }
}
