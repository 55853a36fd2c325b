import Glibc
import RedisClient
import Testing

@testable import TestSupport

/// Tests the tools of the other tests: a wrong tool makes every test wrong.
@Suite("A child process")
struct ChildProcessTests {
    @Test("has its output collected, however much it is, and its exit status kept")
    func output() async throws {
        let script =
            "echo out; echo err >&2; head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero >&2; exit 3"
        let process = try ChildProcess("sh", ["-c", script])
        #expect(try await process.waitForLine(containing: "out") == "out")
        #expect(try await process.waitForLine(containing: "err") == "err")
        #expect(try await process.waitForEnding() == .exited(3))
        #expect(process.standardOutput.utf8.count == 3_000_004)
        #expect(process.standardError.utf8.count == 3_000_004)
    }

    @Test("receives environment, folder and input")
    func surroundings() async throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            "sh", ["-c", "echo \"$COLOUR in $(pwd) with $(cat)\""], environment: ["COLOUR": "blue"],
            workingFolder: folder.path, standardInput: "a file")
        let line = try await process.waitForLine(containing: "in")
        #expect(line.hasPrefix("blue in ") && line.hasSuffix("\(folder.path) with a file"))
    }

    @Test("receives signals")
    func signals() async throws {
        let process = try ChildProcess(
            "sh", ["-c", "trap 'echo stopping; exit 7' TERM; echo ready; while :; do read x || sleep 0.05; done"])
        try await process.waitForLine(containing: "ready")
        #expect(process.ending == nil)
        #expect(try await process.stop() == .exited(7))
        #expect(process.standardOutput == "ready\nstopping\n")
        process.signal(SIGKILL)
        let other = try ChildProcess("sleep", ["100"])
        #expect(try await other.kill() == .signalled(SIGKILL))
    }

    @Test("that does not write the expected line is reported with its output")
    func missingLine() async throws {
        let process = try ChildProcess("sh", ["-c", "echo something else"])
        await #expect {
            try await process.waitForLine(containing: "ready", within: .seconds(60))
        } throws: { error in
            "\(error)".contains("something else") && "\(error)".contains("exited(0)")
        }
        await #expect(throws: TestSupportError.self) {
            try await ChildProcess("sleep", ["100"]).waitForLine(containing: "ready", within: .milliseconds(50))
        }
        #expect(throws: TestSupportError.self) { try ChildProcess("/no/such/program") }
    }

    @Test("ends when its object is released, together with its own children")
    func release() async throws {
        var process: ChildProcess? = try ChildProcess("sh", ["-c", "sleep 100 & echo $! started; wait"])
        let line = try await process?.waitForLine(containing: "started") ?? ""
        let grandchild = try #require(Int32(line.prefix { $0 != " " }))
        #expect(Glibc.kill(grandchild, 0) == 0)
        process = nil
        try await eventually("the grandchild to be gone") { Glibc.kill(grandchild, 0) != 0 || isZombie(grandchild) }
    }

    @Test("is killed with its children when the tests crash, unless it is no longer watched")
    func crash() async throws {
        let watched = try ChildProcess("sh", ["-c", "sleep 100 & echo $! started; wait"])
        let forgotten = try ChildProcess("sleep", ["100"])
        let line = try await watched.waitForLine(containing: "started")
        let grandchild = try #require(Int32(line.prefix { $0 != " " }))
        var processGuard = ProcessGuard()
        processGuard?.watch(forgotten.processID)
        processGuard?.watch(watched.processID)
        processGuard?.forget(forgotten.processID)
        // Only the guard's shell at the other end of the pipe remains.
        processGuard = nil
        #expect(try await watched.waitForEnding() == .signalled(SIGKILL))
        try await eventually("the grandchild to be gone") { Glibc.kill(grandchild, 0) != 0 || isZombie(grandchild) }
        #expect(forgotten.ending == nil)
    }

    /// Whether it has ended, even if its new parent has not reaped it yet.
    private func isZombie(_ processID: Int32) -> Bool {
        guard let file = fopen("/proc/\(processID)/stat", "r") else { return true }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).contains(") Z ")
    }
}

@Suite("A test's server")
struct TestRedisServerTests {
    @Test("is killed, restarted in its folder, and ended with the test")
    func life() async throws {
        let (first, folder) = try await withRedisServer(["--appendonly", "yes", "--appendfsync", "always"]) {
            server async throws in
            let first = server.processID
            try await server.command("SET", "k", "v")
            await server.kill()
            #expect(Glibc.kill(first, 0) != 0)
            try await server.restart()
            #expect(server.processID != first)
            #expect(try await server.command("GET", "k").string == "v")
            return (server.processID, server.folder.path)
        }
        #expect(Glibc.kill(first, 0) != 0)
        #expect(access(folder, F_OK) != 0)
    }

    @Test("that cannot start reports the reason")
    func failure() async throws {
        await #expect {
            try await TestRedisServer.start(["--no-such-setting", "yes"])
        } throws: { error in
            "\(error)".contains("no-such-setting")
        }
    }

    @Test("waits no longer than its limit")
    func eventuallyFails() async throws {
        await #expect {
            try await eventually(within: .milliseconds(20), "the moon") { false }
        } throws: { error in
            "\(error)" == "timed out after 0.02 seconds waiting for the moon"
        }
    }
}
