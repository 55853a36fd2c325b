import Glibc
import Files
import TestSupport
import Testing

@testable import RedisClient

@Suite("Connecting")
struct ConnectTests {
    private func name(_ redis: RedisConnection) async throws -> String? {
        try await redis.send(RedisCommand("ACL WHOAMI")).string
    }

    @Test("works over TCP and over a unix socket")
    func transports() async throws {
        try await withRedisServer(listening: .tcp) { server async throws in
            let port = try #require(server.port)
            let urls = [
                try RedisURL("redis://127.0.0.1:\(port)"), try RedisURL("redis://localhost:\(port)"),
                try RedisURL("unix://\(server.socketPath)"), RedisURL(unixSocket: server.socketPath),
            ]
            for (number, url) in urls.enumerated() {
                let redis = try await RedisConnection.connect(to: url)
                #expect(try await redis.send(RedisCommand("INCR", "n")) == .integer(Int64(number + 1)))
                await redis.close()
            }
        }
    }

    @Test("works over a socket whose path is not UTF-8, and of the system's maximum length")
    func socketPaths() async throws {
        try await withRedisServer { server async throws in
            let folder = try TemporaryFolder()
            let name = [UInt8](repeating: 0xE9, count: 107 - folder.path.utf8.count - "//redis.sock".utf8.count)
            let link = folder.path + "/" + FilePath.text(name)
            #expect(FilePath.withCString(link) { symlink(server.folder.path, $0) } == 0)
            let path = link + "/redis.sock"
            #expect(FilePath.bytes(path).count == 107)
            for url in [RedisURL(unixSocket: path), try RedisURL(RedisURL(unixSocket: path).redacted)] {
                let redis = try await RedisConnection.connect(to: url)
                #expect(try await redis.send(RedisCommand("PING")).string == "PONG")
                await redis.close()
            }
        }
    }

    @Test("selects the database of the URL, and fails if the server does not have it")
    func database() async throws {
        try await withRedisServer { server async throws in
            let third = try await RedisConnection.connect(to: RedisURL("unix://\(server.socketPath)?db=3"))
            _ = try await third.send(RedisCommand("SET", "k", "in 3"))
            #expect(try await server.command("GET", "k") == .null)
            let again = try await RedisConnection.connect(to: RedisURL(unixSocket: server.socketPath, database: 3))
            #expect(try await again.send(RedisCommand("GET", "k")).string == "in 3")
            await #expect {
                try await RedisConnection.connect(to: RedisURL(unixSocket: server.socketPath, database: 99))
            } throws: { error in
                guard case RedisError.reply(let reply, "SELECT") = error else { return false }
                return reply.code == "ERR"
            }
        }
    }

    @Test("sends the password, and reports clearly if it is missing or wrong")
    func password() async throws {
        try await withRedisServer(["--requirepass", "s/e@c"], listening: .tcp) { server async throws in
            let port = try #require(server.port)
            let redis = try await RedisConnection.connect(to: RedisURL("redis://:s%2Fe%40c@127.0.0.1:\(port)/2"))
            #expect(try await name(redis) == "default")
            for (url, command, code) in [
                ("redis://127.0.0.1:\(port)", "PING", "NOAUTH"), ("redis://127.0.0.1:\(port)/2", "SELECT", "NOAUTH"),
                ("redis://:hunter2@127.0.0.1:\(port)", "AUTH", "WRONGPASS"),
                ("redis://me:hunter2@127.0.0.1:\(port)", "AUTH", "WRONGPASS"),
            ] {
                await #expect {
                    try await RedisConnection.connect(to: RedisURL(url))
                } throws: { error in
                    guard case RedisError.reply(let reply, command) = error else { return false }
                    return reply.code == code && "\(error)".contains("user and password")
                        && !"\(error)".contains("hunter2")
                }
            }
        }
    }

    @Test("uses an ACL user, even one who may neither PING nor set a name")
    func accessControl() async throws {
        try await withRedisServer { server async throws in
            try await server.command("ACL", "SETUSER", "shop", "on", ">pw", "~*", "+@all")
            try await server.command("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "+get", "+acl|whoami")
            for user in ["shop", "narrow"] {
                let redis = try await RedisConnection.connect(
                    to: RedisURL("unix://\(server.socketPath)?user=\(user)&password=pw"))
                #expect(try await name(redis) == user)
            }
        }
    }

    @Test("reports the reason if no server is listening")
    func refused() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let long = folder.path(of: String(repeating: "x", count: 120))
        for (url, reason) in [
            (try RedisURL("redis://127.0.0.1:\(port)"), "connection refused"),
            (try RedisURL("redis://localhost:\(port)"), "connection refused"),
            (RedisURL(unixSocket: folder.path(of: "none.sock")), "there is no such socket file"),
            (RedisURL(unixSocket: long), "longer than 107 bytes"),
            (try RedisURL("redis://no.such.host.invalid"), "address was not found"),
        ] {
            await #expect {
                try await RedisConnection.connect(to: url)
            } throws: { error in
                guard case RedisError.cannotConnect(url.redacted, let text) = error else { return false }
                return text.contains(reason)
            }
        }
    }

    @Test("has a deadline for a server that accepts but never replies")
    func deadline() async throws {
        let server = try await FakeServer.start(greets: false) { _, _ in .silence }
        let listener = try SilentListener()
        var options = RedisOptions()
        options.connectTimeout = .milliseconds(300)
        for url in [server.url, try RedisURL("redis://127.0.0.1:\(listener.port)")] {
            let start = ContinuousClock.now
            await #expect(throws: RedisError.cannotConnect(to: url.redacted, reason: "no reply within 0.3 seconds")) {
                try await RedisConnection.connect(to: url, options: options)
            }
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test("can be cancelled")
    func cancellation() async throws {
        let server = try await FakeServer.start(greets: false) { _, _ in .silence }
        let task = Task { try await RedisConnection.connect(to: server.url) }
        try await eventually("the greeting") { server.count(of: "PING") == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("reports the server's reason if it cannot serve yet")
    func loading() async throws {
        let server = try await FakeServer.start(greets: false) { _, command in
            .answer(command.first == "PING" ? "-LOADING Redis is loading the dataset in memory\r\n" : "+OK\r\n")
        }
        await #expect {
            try await RedisConnection.connect(to: server.url)
        } throws: { error in
            guard case RedisError.reply(let reply, "PING") = error else { return false }
            return reply.code == "LOADING" && (error as? RedisError)?.mayPass == true
        }
    }

    @Test("reports the last message of a server that rejects the connection")
    func lastWords() async throws {
        let server = try await FakeServer.start(greets: false) { _, _ in
            .close(after: "-DENIED Redis is running in protected mode\r\n")
        }
        await #expect {
            try await RedisConnection.connect(to: server.url)
        } throws: { error in
            guard case RedisError.cannotConnect(_, let reason) = error else { return false }
            return reason.contains("closed the connection after saying: DENIED Redis is running in protected mode")
        }
    }

    @Test("to something that is not Redis reports that")
    func otherService() async throws {
        let server = try await FakeServer.start(greets: false) { _, _ in
            .close(after: "HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        await #expect {
            try await RedisConnection.connect(to: server.url)
        } throws: { error in
            guard case RedisError.protocolViolation = error else { return false }
            return "\(error)".contains("that of a Redis server")
        }
    }
}
