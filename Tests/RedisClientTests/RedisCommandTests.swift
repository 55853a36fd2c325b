import NIOCore
import Testing

@testable import RedisClient

extension RedisCommand {
    /// All bytes of the command.
    fileprivate var bytes: ByteBuffer {
        encoded.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
    }
}

@Suite("A command")
struct RedisCommandTests {
    private func text(_ command: RedisCommand) -> String {
        String(decoding: command.bytes.readableBytesView, as: UTF8.self)
    }

    @Test("is encoded as an array of bulk strings")
    func encoding() {
        #expect(text(RedisCommand("PING")) == "*1\r\n$4\r\nPING\r\n")
        #expect(text(RedisCommand("SET", "k", "")) == "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n")
        #expect(text(RedisCommand("XGROUP CREATE", "k")) == "*3\r\n$6\r\nXGROUP\r\n$6\r\nCREATE\r\n$1\r\nk\r\n")
        #expect(text(RedisCommand("ECHO", "ä\r\n")) == "*2\r\n$4\r\nECHO\r\n$4\r\nä\r\n\r\n")
    }

    @Test("accepts texts, numbers and bytes")
    func appending() {
        var command = RedisCommand("X", capacity: 100)
        command.append(Int64.min)
        command.append(Int.max)
        command.append([0, 255, 13, 10] as [UInt8])
        command.append([1, 2, 3][1...] as ArraySlice<UInt8>)
        command.append(contentsOf: ["a", "b"])
        var parser = Parsing()
        #expect(
            parser.values(command.bytes)
                == [
                    .array(
                        [.bulk(Array("X".utf8)), .bulk(Array("\(Int64.min)".utf8)), .bulk(Array("\(Int.max)".utf8))]
                            + [.bulk([0, 255, 13, 10]), .bulk([2, 3]), .bulk([97]), .bulk([98])])
                ])
    }

    @Test("has the right number of arguments in its header at all times")
    func header() {
        var command = RedisCommand("X", capacity: 0)
        for count in 2...10_101 {
            command.append("")
            #expect(command.count == count)
            if count < 200 || count % 97 == 0 || count >= 9_990 && count <= 10_010 {
                #expect(text(command).hasPrefix("*\(count)\r\n$1\r\nX\r\n$0\r\n\r\n"))
            }
        }
        #expect(command.bytes.readableBytes == "*10101\r\n$1\r\nX\r\n".utf8.count + 10_100 * 6)
    }

    @Test("is unchanged if a copy of it grows")
    func isAValue() {
        let command = RedisCommand("GET", "k")
        var other = command
        other.append("more")
        #expect(text(command) == "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
        #expect(text(other) == "*3\r\n$3\r\nGET\r\n$1\r\nk\r\n$4\r\nmore\r\n")
    }

    @Test("shows its name and not its arguments")
    func isDiscreet() {
        #expect("\(RedisCommand("AUTH", "me", "hunter2"))" == "AUTH (3 words)")
    }
}

@Suite("A value")
struct RedisValueTests {
    @Test(
        "is an integer when Redis would write it so",
        arguments: [
            ("0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("", nil), ("-", nil), ("+7", nil), ("07", nil), ("-0", nil), ("7.0", nil), (" 7", nil), ("7 ", nil),
            ("1e3", nil),
            ("0x10", nil), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999", nil),
        ] as [(String, Int64?)])
    func integers(_ text: String, _ number: Int64?) {
        #expect(RedisValue.bulk(Array(text.utf8)).int == number)
        #expect(RedisValue.simple(text).int == nil)
    }

    @Test("has the accessors that fit its type, and no others")
    func conveniences() {
        #expect(RedisValue.integer(-1).int == -1)
        #expect(RedisValue.simple("OK").string == "OK")
        #expect(RedisValue.simple("OK").bytes == [79, 75])
        #expect(RedisValue.bulk([97]).string == "a")
        #expect(RedisValue.bulk([0xff]).string == nil)
        #expect(RedisValue.bulk([0xff]).bytes == [0xff])
        #expect(RedisValue.array([.null]).array == [.null])
        #expect(RedisValue.null.isNull)
        for value in [RedisValue.null, .integer(1), .array([]), .error(RedisReplyError(message: "ERR x"))] {
            #expect(value.string == nil && value.bytes == nil)
        }
        #expect(RedisValue.null.array == nil && RedisValue.bulk([]).array == nil && RedisValue.array([]).int == nil)
    }
}

@Suite("An error")
struct RedisErrorTests {
    @Test(
        "reply has a code if it begins with an upper-case word",
        arguments: [
            ("ERR no such key", "ERR"), ("NOSCRIPT No matching script", "NOSCRIPT"), ("WRONGTYPE", "WRONGTYPE"),
            ("", ""),
            ("no code", ""), ("Error x", ""), (" ERR", ""), ("FENCED epoch 3", "FENCED"), ("-ERR", ""),
            ("V2_X y", "V2_X"),
        ])
    func codes(_ message: String, _ code: String) {
        #expect(RedisReplyError(message: message) == RedisReplyError(code: code, message: message))
    }

    @Test("reports what failed, on what, why, and what to do")
    func descriptions() {
        let reply = RedisReplyError(message: "WRONGPASS invalid username-password pair or user is disabled.")
        #expect(
            "\(RedisError.reply(reply, command: "AUTH"))"
                == "Redis refused a command: AUTH: WRONGPASS invalid username-password pair or user is disabled. "
                + "Check user and password in the Redis URL.")
        #expect(
            "\(RedisError.timedOut(to: "redis://h:1/0", command: "GET", after: .seconds(2)))"
                == "no reply from Redis: GET on redis://h:1/0: nothing came within 2.0 seconds. "
                + "It may have been executed; check before sending it again.")
    }

    @Test(
        "is recognised as a missing right, in the words of each server, even inside a script",
        arguments: [
            "NOPERM this user has no permissions to run the 'xack' command",
            "NOPERM User u has no permissions to access one of the keys used as arguments",
            "ERR The user executing the script can't run this command or subcommand script: d, on @user_script:1.",
            "ERR ACL failure in script: User u has no permissions to run the 'xack' command script: d, on @user_script:1.",
        ])
    func forbidden(_ message: String) {
        let reply = RedisReplyError(message: message)
        #expect(reply.isForbidden)
        #expect("\(RedisError.reply(reply, command: "X"))".contains("Grant it to the user with ACL SETUSER"))
        #expect(!RedisReplyError(message: "ERR " + message.prefix(8)).isForbidden)
    }

    @Test("omits arguments that the server repeats")
    func isDiscreet() {
        let reply = RedisReplyError(message: "ERR unknown command 'X', with args beginning with: 'hunter2' ")
        let description = "\(RedisError.reply(reply, command: "X"))"
        #expect(description.contains("unknown command 'X'"))
        #expect(!description.contains("hunter2"))
        let long = RedisReplyError(message: "ERR a, b\r\n" + String(repeating: "x", count: 10_000))
        #expect("\(RedisError.reply(long, command: "X"))".utf8.count < 600)
        #expect(!"\(RedisError.reply(long, command: "X"))".contains("\n"))
    }

    @Test("says whether the command may have been executed, and whether waiting may help")
    func judgements() {
        func reply(_ message: String) -> RedisError { .reply(RedisReplyError(message: message), command: "X") }
        let table: [(RedisError, mayHaveExecuted: Bool, mayPass: Bool)] = [
            (.invalidURL("x"), false, false), (.cannotConnect(to: "h", reason: "x"), false, true),
            (.notSent(to: "h", reason: "x"), false, true), (.connectionLost(to: "h", reason: "x"), true, true),
            (.timedOut(to: "h", command: "X", after: .seconds(1)), true, true),
            (.protocolViolation(to: "h", detail: "x"), true, false), (reply("LOADING x"), false, true),
            (reply("BUSY x"), false, true), (reply("WRONGPASS x"), false, false), (reply("ERR x"), false, false),
            (reply("ERR max number of clients reached"), false, true),
        ]
        for (error, mayHaveExecuted, mayPass) in table {
            #expect(error.mayHaveExecuted == mayHaveExecuted, "\(error)")
            #expect(error.mayPass == mayPass, "\(error)")
        }
    }
}

@Suite("A server's version")
struct ServerVersionTests {
    @Test(
        "is its own one, and the one with which it is compatible",
        arguments: [
            ("redis_version:7.0.15\r\n", "Redis 7.0.15", "7.0.15"),
            ("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n", "Valkey 9.1.2", "7.2.4"),
            ("redis_version:7.2.4\r\nserver_name:other\r\n", "Redis 7.2.4", "7.2.4"),
            ("redis_version:8.2.3\r\nserver_name:redis\r\n", "Redis 8.2.3", "8.2.3"),
        ])
    func names(_ reply: String, _ description: String, _ redis: String) {
        let version = ServerVersion(info: RedisValue.bulk(Array(reply.utf8)).info)
        #expect(version?.description == description && version?.redis == redis)
    }

    @Test("is unknown if none is named")
    func unknown() {
        #expect(ServerVersion(info: [:]) == nil)
    }
}
