import Foundation
import TestSupport
import Testing

/// Paths may consist of any bytes but 0. A shell creates the names, and `find` and `sed` list the files: neither our
/// code nor Swift's reads the bytes.
@Suite struct PathTests {
    private static let order =
        #"{"type":"checkout.completed","payload":{"order_id":"o1","#
        + #""items":[{"product_id":"PANEL","quantity":1,"unit_price":5}]}}"#

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Shop.catalogue, to: "products.json")
        try folder.write(Self.order, to: "orders.ndjson")
    }

    /// The command is `$0`; `$D` is a folder, `$L` a ledger, `$B` a backup and `$N` a name that is not UTF-8.
    private func start(_ script: String, _ environment: [String: String] = [:]) throws -> ChildProcess {
        let names =
            #"N=$(printf 'caf\351'); D=$(printf 'Lager-\351'); L=$(printf 'Best\344nde.sqlite'); B=$(printf 'Kopie-\377.sqlite')"#
        return try ChildProcess(
            "sh", ["-c", "cd \(folder.path) && \(names) && \(script)", try builtBinary("stocktake")],
            environment: ["STOCKTAKE_HTTP_PORT": "0", "STOCKTAKE_OPERATOR_PORT": "0"].merging(environment) { $1 })
    }

    private func sh(_ script: String, _ environment: [String: String] = [:]) async throws -> Shop.Result {
        let process = try start(script, environment)
        guard case .exited(let status) = try await process.waitForEnding(within: .seconds(60)) else {
            throw TestSupportError("\(script) died: \(process.standardError)")
        }
        return .init(status: status, output: process.standardOutput, errors: process.standardError)
    }

    @discardableResult
    private func succeed(
        _ script: String, _ environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let result = try await sh(script, environment)
        #expect(result.status == 0, "\(script): \(result.errors)\(result.output)", sourceLocation: location)
        return result.output
    }

    /// Everything in the test's folder except the files in Redis' own folder; bytes above 127 as `\351`.
    private func names() async throws -> [String] {
        try await succeed("LC_ALL=C find . -mindepth 1 ! -path '*/redis/*' | LC_ALL=C sed -n 'l 0' | sort")
            .split(separator: "\n").map { String($0.dropLast()) }
    }

    private static let sources = ["./orders.ndjson", "./products.json"]
    private static let lager = #"./Lager-\351"#

    @Test("Ledger, data folder, private Redis, backup and the files beside them have the names they were given")
    func everything() async throws {
        let settings = #"--data "$D" --ledger "$D/$L""#
        try await succeed(#"mv products.json "$N.json" && mv orders.ndjson "$N.ndjson""#)
        let sources = [#"./caf\351.json"#, #"./caf\351.ndjson"#]
        #expect(try await succeed(#""$0" sync "$N.json" "# + settings).contains("8 added"))
        #expect(try await names() == [Self.lager, Self.lager + #"/Best\344nde.sqlite"#] + sources)

        let running = try start(#"exec "$0" run "# + settings)
        let shop = try HTTPAddress(in: try await running.waitForLine(containing: "listening on", within: .seconds(30)))
        let office = try HTTPAddress(
            in: try await running.waitForLine(containing: "operator page on", within: .seconds(10)))
        try await running.waitForLine(containing: "consuming store", within: .seconds(30))
        #expect(try await succeed(#""$0" publish "$N.ndjson" "# + settings).contains("published 1 message"))
        try await eventually("the order in the ledger") {
            try await succeed(#""$0" orders list "# + settings).contains("o1")
        }
        try await eventually("readiness") { try await shop.get("/readyz").status == 200 }
        // The path in JSON: each byte becomes the scalar of the same number.
        let status = try await office.get("/operator/status")
        #expect(status.text.contains("Lager-\u{10FFE9}/Best\u{10FFE4}nde.sqlite"), "\(status.text)")
        let examined = try await sh(#""$0" doctor --deep "# + settings)
        #expect(!examined.output.contains(" bad ") && !examined.output.contains("unknown"), "\(examined.output)")
        #expect(examined.output.contains(#"\#(folder.path)/Lager-\xE9/Best\xE4nde.sqlite: store main"#))
        #expect(examined.output.contains("Lager-%E9/redis.sock"))
        let serving = try start(#"exec "$0" serve "# + settings)
        let second = try HTTPAddress(
            in: try await serving.waitForLine(containing: "listening on", within: .seconds(30)))
        try await eventually("readiness of 'serve'") { try await second.get("/readyz").status == 200 }
        #expect(
            try await names()
                == [
                    "", #"/Best\344nde.sqlite"#, #"/Best\344nde.sqlite-shm"#, #"/Best\344nde.sqlite-wal"#,
                    #"/Best\344nde.sqlite.lock"#, "/redis", "/redis.lock", "/redis.log", "/redis.pid", "/redis.sock",
                ].map { Self.lager + $0 } + sources)
        // Redis' process title contains the socket's path: a second server is not started beside it.
        let pid = try await succeed(#"cat "$D/redis.pid""#)
        #expect(
            try await succeed(#"tr '\0' '\n' < /proc/$(cat "$D/redis.pid")/cmdline | LC_ALL=C sed -n 'l 0'"#)
                .contains(#"Lager-\351/redis.sock"#))
        #expect(try await succeed(#""$0" ledger backup "$D/$B" --json "# + settings).contains(#"Kopie-\uDBFF\uDFFF"#))
        #expect(try await serving.stop() == .exited(0))
        // The server left behind by a killed process is found again by its socket.
        _ = try await running.kill()
        try await succeed(#""$0" run --until-idle "# + settings)
        let server = try #require(Int32(pid.filter(\.isNumber)))
        try await eventually("the server's end") { kill(server, 0) != 0 }

        let restored = try await succeed(#""$0" ledger restore "$D/$B" --yes "# + settings)
        #expect(restored.contains(#"Best\xE4nde.sqlite from Lager-\xE9/Kopie-\xFF.sqlite"#), "\(restored)")
        let kept = try #require(try await names().first { $0.contains("replaced-") })
        #expect(
            try await names()
                == [
                    "", #"/Best\344nde.sqlite"#, #"/Best\344nde.sqlite.lock"#, String(kept.dropFirst(Self.lager.count)),
                    #"/Kopie-\377.sqlite"#, "/redis", "/redis.lock", "/redis.log",
                ].map { Self.lager + $0 } + sources)
        #expect(try await succeed(#""$0" ledger check "# + settings).contains("sound; store main, 1 order"))
        #expect(try await succeed(#""$0" ledger drop --yes "# + settings).contains(#"Lager-\xE9/Best\xE4nde.sqlite"#))
        #expect(try await !names().contains(Self.lager + #"/Best\344nde.sqlite"#))
    }

    @Test("The environment, a configuration's own name, and the working directory may have any bytes")
    func sources() async throws {
        try folder.write(#"{"ledger": "here.sqlite"}"#, to: "settings.json")
        try await succeed(#"mkdir -p "$D" && mv settings.json "$D/$N.conf""#)
        try await succeed(
            #"STOCKTAKE_DATA="$D" STOCKTAKE_LEDGER="$D/$L" "$0" sync products.json && cd "$D" && "$0" sync ../products.json"#
        )
        try await succeed(#"cd "$D" && "$0" sync ../products.json --config "$N.conf""#)
        #expect(
            try await names()
                == ["", #"/Best\344nde.sqlite"#, #"/caf\351.conf"#, "/data", "/data/ledger.sqlite", "/here.sqlite"]
                .map { Self.lager + $0 } + Self.sources)
    }

    @Test("An interrupted restore is completed under the names it began with")
    func cutShort() async throws {
        let redis = try await TestRedisServer.start()
        let url = ["STOCKTAKE_REDIS_URL": "unix://\(redis.socketPath)"]
        let place = #"--data "$D" --ledger "$D/$L""#
        try await succeed(#""$0" sync products.json "# + place, url)
        try await succeed(#""$0" ledger backup "$D/$B" "# + place, url)
        let cut = try start(
            #"exec "$0" ledger restore "$D/$B" --yes "# + place,
            url.merging(["STOCKTAKE_FAILPOINT": "restore.kept"]) { $1 })
        #expect(try await cut.waitForEnding() == .signalled(SIGKILL))
        #expect(try await names().contains(Self.lager + #"/Best\344nde.sqlite.restored"#))
        #expect(try await succeed(#""$0" ledger check "# + place, url).contains("sound"))
        #expect(
            try await names().filter { !$0.contains("replaced-") }
                == ["", #"/Best\344nde.sqlite"#, #"/Best\344nde.sqlite.lock"#, #"/Kopie-\377.sqlite"#]
                .map { Self.lager + $0 } + Self.sources)
    }

    @Test("The socket of another Redis may be named by its bytes, or with percent-escapes in a URL")
    func sockets() async throws {
        let redis = try await TestRedisServer.start()
        try await succeed("\"$0\" sync products.json --ledger \"$L\" && ln -s \(redis.folder.path) \"$D\"")
        for url in [#"unix://\#(folder.path)/$D/redis.sock"#, #"unix://\#(folder.path)/Lager-%E9/redis.sock"#] {
            try await succeed(#""$0" publish orders.ndjson --redis-url ""# + url + #"""#)
            try await succeed(#"STOCKTAKE_REDIS_URL=""# + url + #"" "$0" consume --until-idle --ledger "$L""#)
        }
        #expect(try await succeed(#""$0" ledger check --ledger "$L""#).contains("1 order,"))
    }

    @Test("A command that is to be repeated quotes paths for the shell")
    func repetition() async throws {
        try await succeed(#""$0" sync products.json --ledger "$L""#)
        let failed = try await sh(
            #""$0" stock adjust PANEL --sold +1 --reason sold --ledger "$L" --redis-url "unix://$PWD/$N/redis.sock""#)
        #expect(failed.status == 2)
        #expect(failed.errors.contains(#"--ledger $'Best\xE4nde.sqlite'"#), "\(failed.errors)")
        #expect(failed.errors.contains(#"/caf\xE9/redis.sock'"#), "\(failed.errors)")
    }

    @Test("A backup's name is not interpreted as an SQLite URI")
    func uris() async throws {
        try await succeed(#""$0" sync products.json --ledger ledger.sqlite"#)
        try await succeed(#""$0" ledger backup "file:x.sqlite" --ledger ledger.sqlite"#)
        // Read-only commands leave the log.
        let found = try await names().filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
        #expect(found == ["./file:x.sqlite", "./ledger.sqlite"] + Self.sources)
        #expect(try await succeed(#""$0" ledger check --ledger "file:x.sqlite""#).contains("sound"))
    }

    @Test("Invalid UTF-8 outside paths is rejected, not altered; a path that leads nowhere is shown by its bytes")
    func refused() async throws {
        for command in [#"orders show "$N""#, #"stock --store "$N""#, #"stock --consumer="$N""#] {
            let refused = try await sh(#""$0" "# + command)
            #expect(refused.status == 64, "\(command): \(refused.errors)")
            #expect(refused.errors.contains(#"caf\xE9"#) && refused.errors.contains("is not UTF-8"))
        }
        let variable = try await sh(#"STOCKTAKE_STORE="$N" "$0" stock"#)
        #expect(variable.status == 64 && variable.errors.contains("STOCKTAKE_STORE is not UTF-8"), "\(variable.errors)")
        for command in [
            #"sync "$N.json""#, #"stock --ledger "$N.json""#, #"ledger restore "$N.json" --ledger l"#,
            #"publish "$N.json""#,
        ] {
            let missing = try await sh(#""$0" "# + command)
            #expect(missing.status == 2)
            #expect(missing.errors.contains(#"caf\xE9.json"#), "\(missing.errors)")
        }
        #expect(try await names().filter { !$0.contains(".lock") } == Self.sources)
    }
}
