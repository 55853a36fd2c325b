#if TLS
    import TestSupport
    import Testing

    @testable import RedisClient

    @Suite("TLS")
    struct TLSTests {
        /// A certificate authority and a server's certificate signed by it, made by `openssl`.
        private struct Certificates {
            let folder: TemporaryFolder
            var authority: String { folder.path(of: "ca.crt") }

            /// - Parameter names: In OpenSSL's form for alternative names: `DNS:localhost`.
            init(names: String) async throws {
                folder = try TemporaryFolder()
                let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
                try await openssl(
                    ["req", "-x509"] + key + ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority"])
                try await openssl(
                    ["req"] + key + ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=test server"])
                try folder.write("subjectAltName=\(names)\n", to: "names")
                try await openssl(
                    ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
                        + ["-out", "server.crt", "-days", "2", "-extfile", "names"])
            }

            private func openssl(_ arguments: [String]) async throws {
                let process = try ChildProcess("openssl", arguments, workingFolder: folder.path)
                guard try await process.waitForEnding() == .exited(0) else {
                    throw TestSupportError(process.standardError)
                }
            }

            var listening: TestRedisServer.Listening {
                .tls([
                    "--tls-cert-file", folder.path(of: "server.crt"), "--tls-key-file", folder.path(of: "server.key"),
                    "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
                ])
            }

            var options: RedisOptions {
                var options = RedisOptions()
                options.caFile = authority
                return options
            }
        }

        private func reason(_ body: () async throws -> RedisConnection) async -> String {
            do {
                _ = try await body()
                return "connected"
            } catch RedisError.cannotConnect(_, let reason) {
                return reason
            } catch {
                return "another error: \(error)"
            }
        }

        @Test("carries commands to a server with a valid certificate, by name and by address")
        func commands() async throws {
            let certificates = try await Certificates(names: "DNS:localhost,IP:127.0.0.1")
            try await withRedisServer(["--requirepass", "pw"], listening: certificates.listening) {
                server async throws in
                let port = try #require(server.port)
                for host in ["localhost", "127.0.0.1"] {
                    let redis = try await RedisConnection.connect(
                        to: RedisURL("rediss://:pw@\(host):\(port)/1"), options: certificates.options)
                    let value = [UInt8](repeating: 7, count: 3_000_000)
                    var set = RedisCommand("SET", "k")
                    set.append(value)
                    #expect(try await redis.send(set) == .simple("OK"))
                    #expect(try await redis.send(RedisCommand("GET", "k")) == .bulk(value))
                    let echoes = try await redis.pipeline((0..<10_000).map { RedisCommand("ECHO", "\($0)") })
                    #expect(echoes.enumerated().allSatisfy { $0.element.int == Int64($0.offset) })
                    await redis.close()
                    #expect(!redis.isOpen)
                }
            }
        }

        @Test("refuses a certificate from an untrusted authority")
        func unknownAuthority() async throws {
            let certificates = try await Certificates(names: "DNS:localhost")
            let others = try await Certificates(names: "DNS:localhost")
            try await withRedisServer(listening: certificates.listening) { server async throws in
                let url = try RedisURL("rediss://localhost:\(try #require(server.port))")
                for options in [RedisOptions(), others.options] {
                    let reason = await reason { try await RedisConnection.connect(to: url, options: options) }
                    #expect(reason == "the server's certificate is not signed by a trusted authority (set the CA file)")
                }
                var careless = RedisOptions()
                careless.verifiesCertificate = false
                let redis = try await RedisConnection.connect(to: url, options: careless)
                #expect(try await redis.send(RedisCommand("PING")) == .simple("PONG"))
            }
        }

        @Test("refuses a certificate for another name")
        func otherName() async throws {
            let certificates = try await Certificates(names: "DNS:redis.example")
            try await withRedisServer(listening: certificates.listening) { server async throws in
                for host in ["localhost", "127.0.0.1"] {
                    let url = try RedisURL("rediss://\(host):\(try #require(server.port))")
                    let reason = await reason {
                        try await RedisConnection.connect(to: url, options: certificates.options)
                    }
                    #expect(reason.hasPrefix("the server's certificate is for a different name"))
                }
            }
        }

        @Test("reports clearly when only one side uses it")
        func oneSided() async throws {
            let certificates = try await Certificates(names: "DNS:localhost")
            try await withRedisServer(listening: certificates.listening) { server async throws in
                let url = try RedisURL("redis://localhost:\(try #require(server.port))")
                let reason = await reason { try await RedisConnection.connect(to: url) }
                #expect(reason.contains("closed the connection") || reason.contains("reset"))
            }
            try await withRedisServer(listening: .tcp) { server async throws in
                let url = try RedisURL("rediss://localhost:\(try #require(server.port))")
                var options = certificates.options
                options.connectTimeout = .seconds(1)
                let reason = await reason { [options] in try await RedisConnection.connect(to: url, options: options) }
                let answers = ["the TLS handshake failed", "no reply within 1.0 seconds (does the server speak TLS"]
                #expect(answers.contains { reason.hasPrefix($0) })
            }
        }

        @Test("needs a CA file that can be read")
        func missingFile() async throws {
            var options = RedisOptions()
            options.caFile = "/no/such/file"
            let url = try RedisURL("rediss://localhost:1")
            let reason = await reason { [options] in try await RedisConnection.connect(to: url, options: options) }
            #expect(reason.hasPrefix("the certificates in /no/such/file cannot be used"))
        }

        @Test("has a deadline for a server that never completes the handshake")
        func silentServer() async throws {
            var options = RedisOptions()
            options.connectTimeout = .milliseconds(300)
            // The kernel accepts connections up to the backlog; no program replies.
            let listener = try SilentListener()
            let url = try RedisURL("rediss://127.0.0.1:\(listener.port)")
            let reason = await reason { [options] in try await RedisConnection.connect(to: url, options: options) }
            #expect(reason.hasPrefix("no reply within 0.3 seconds"))
        }

        @Test("fails commands in flight when the server is killed, and the client recovers")
        func serverKilled() async throws {
            let certificates = try await Certificates(names: "DNS:localhost")
            try await withRedisServer(listening: certificates.listening) { server async throws in
                let url = try RedisURL("rediss://localhost:\(try #require(server.port))")
                let redis = RedisClient(url: url, options: certificates.options, logger: silentLogger)
                let blocked = Task { try await redis.send(RedisCommand("BLPOP", "list", "60"), timeout: .seconds(60)) }
                try await eventually("BLPOP to arrive") {
                    try await server.command("CLIENT", "LIST").string?.contains("cmd=blpop") == true
                }
                await server.kill()
                await #expect {
                    try await blocked.value
                } throws: { error in
                    guard case RedisError.connectionLost = error else { return false }
                    return true
                }
                try await server.restart()
                try await redis.waitUntilConnected(within: .seconds(30))
                #expect(try await redis.send(RedisCommand("PING")) == .simple("PONG"))
                await redis.close()
            }
        }
    }
#endif
