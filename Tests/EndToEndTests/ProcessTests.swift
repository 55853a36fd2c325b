import Foundation
import TestSupport
import Testing

/// `run` with its private Redis, settings, and usage.
@Suite struct ProcessTests {
    private let orders = SequentialModel.rush

    @Test("run keeps a private Redis, from which a second terminal reads, and ends both on SIGTERM")
    func runAlone() async throws {
        let folder = try TemporaryFolder()
        let binary = try builtBinary("stocktake")
        let environment = [
            "STOCKTAKE_DATA": folder.path(of: "data"), "STOCKTAKE_REDIS_URL": "", "STOCKTAKE_HTTP_PORT": "0",
            "STOCKTAKE_OPERATOR_PORT": "0",
        ]
        func command(_ arguments: String..., input: String = "") async throws -> ChildProcess {
            let process = try ChildProcess(binary, arguments, environment: environment, standardInput: input)
            _ = try await process.waitForEnding(within: .seconds(60))
            return process
        }
        _ = try await command("sync", try folder.write(Shop.catalogue, to: "products.json"))
        let running = try ChildProcess(binary, ["run"], environment: environment)
        try await running.waitForLine(containing: "consuming store main", within: .seconds(30))
        let lines = orders.map(\.message).joined(separator: "\n")
        let published = try await command("publish", "-", input: lines)
        #expect(published.standardOutput.contains("published 60 messages"))
        try await eventually("everything decided") {
            try await command("orders", "list", "--json", "--limit", "100").standardOutput.contains("order-59")
        }
        let reconciled = try await command("reconcile")
        #expect(reconciled.ending == .exited(0))
        #expect(try await running.stop() == .exited(0))
        let socket = folder.path(of: "data/redis.sock")
        try await eventually("the private Redis' end") { !FileManager.default.fileExists(atPath: socket) }
        // After a restart it has forgotten nothing; after a drop, everything.
        let again = try ChildProcess(binary, ["run", "--until-idle"], environment: environment)
        #expect(try await again.waitForEnding(within: .seconds(30)) == .exited(0))
        #expect(again.standardOutput.contains("0 accepted, 0 refused"))
        let dropped = try await command("ledger", "drop", "--yes")
        #expect(dropped.ending == .exited(0), "\(dropped.standardError)")
    }

    @Test("run never starts a second server beside one that hangs")
    func privateRedisHangs() async throws {
        let folder = try TemporaryFolder()
        let data = folder.path(of: "data")
        let environment = [
            "STOCKTAKE_DATA": data, "STOCKTAKE_REDIS_URL": "", "STOCKTAKE_HTTP_PORT": "0",
            "STOCKTAKE_OPERATOR_PORT": "0",
        ]
        let binary = try builtBinary("stocktake")
        _ = try await ChildProcess(
            binary, ["sync", try folder.write(Shop.catalogue, to: "products.json")], environment: environment
        ).waitForEnding()
        let running = try ChildProcess(binary, ["run"], environment: environment)
        try await running.waitForLine(containing: "consuming store", within: .seconds(30))
        let redis = try #require(
            Int32(try String(contentsOfFile: data + "/redis.pid", encoding: .utf8).filter(\.isNumber)))
        kill(redis, SIGSTOP)
        _ = try await running.kill()
        // A crash, and a new start while the server neither replies nor ends: it is still running.
        let again = try ChildProcess(binary, ["run"], environment: environment)
        try await again.waitForLine(containing: "cannot connect", within: .seconds(30))
        #expect(try String(contentsOfFile: data + "/redis.pid", encoding: .utf8).contains("\(redis)"))
        kill(redis, SIGCONT)
        try await again.waitForLine(containing: "consuming store", within: .seconds(30))
        #expect(try await again.stop() == .exited(0))
        try await eventually("the server's end") { kill(redis, 0) != 0 }
    }

    // MARK: - Usage

    @Test(
        "Wrong usage is exit code 64 with a message that names the mistake",
        arguments: [
            (["nonsense"], "nonsense"), (["sync", "--nonsense"], "--nonsense"),
            (["stock", "--log-level", "loud"], "loud"),
            (["stock", "--redis-url", "http://x"], "redis://"), (["stock", "--batch-orders", "0"], "1 to"),
            (["orders", "list", "--limit", "0"], "--limit"),
        ])
    func wrongUsage(arguments: [String], named: String) async throws {
        let process = try ChildProcess(try builtBinary("stocktake"), arguments)
        #expect(try await process.waitForEnding() == .exited(64))
        #expect(process.standardError.contains(named), "\(process.standardError)")
    }

    @Test("Settings come from the flag, then the environment, then the file, then the default")
    func settings() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(#"{"ledger": "/nowhere/of-file", "store": "s"}"#, to: "settings.json")
        func ledgerNamed(_ arguments: [String], _ environment: [String: String]) async throws -> String {
            let process = try ChildProcess(
                try builtBinary("stocktake"), ["orders", "list"] + arguments, environment: environment)
            #expect(try await process.waitForEnding() == .exited(2))
            return process.standardError
        }
        let variable = ["STOCKTAKE_LEDGER": "/nowhere/of-variable", "STOCKTAKE_CONFIG": file]
        #expect(try await ledgerNamed(["--ledger", "/nowhere/of-flag"], variable).contains("/nowhere/of-flag"))
        #expect(try await ledgerNamed([], variable).contains("/nowhere/of-variable"))
        #expect(try await ledgerNamed(["--config", file], [:]).contains("/nowhere/of-file"))
        #expect(try await ledgerNamed([], ["STOCKTAKE_DATA": "/nowhere"]).contains("/nowhere/ledger.sqlite"))
        // Not the default ledger: a variable of the caller's may have been unset.
        let empty = try ChildProcess(
            try builtBinary("stocktake"), ["orders", "list", "--ledger", ""], environment: variable)
        #expect(try await empty.waitForEnding() == .exited(64))
        #expect(empty.standardError.contains("--ledger is empty"))
        let unset = try folder.write(#"{"ledger": null, "batch_orders": null, "data": "/nowhere"}"#, to: "null.json")
        #expect(try await ledgerNamed(["--config", unset], [:]).contains("/nowhere/ledger.sqlite"))
        let typo = try folder.write(#"{"ledgr": "x"}"#, to: "typo.json")
        let refused = try ChildProcess(try builtBinary("stocktake"), ["stock", "--config", typo])
        #expect(try await refused.waitForEnding() == .exited(64))
        #expect(refused.standardError.contains(#"Did you mean "ledger"?"#))
    }

    @Test("The shipped settings file holds every setting at its default")
    func shippedSettings() async throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            try builtBinary("stocktake"), ["orders", "list", "--config", "config/stocktake.json"],
            environment: ["STOCKTAKE_DATA": folder.path])
        #expect(try await process.waitForEnding() == .exited(2))
        #expect(process.standardError.contains("there is no such file"))
    }
}
