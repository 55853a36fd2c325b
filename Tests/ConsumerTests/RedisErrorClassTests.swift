import RedisClient
import Testing

@testable import Consumer

/// What the consumer does after an error of Redis depends on whether the command may have been executed.
@Suite struct RedisErrorClassTests {
    private static func reply(_ message: String) -> RedisError {
        .reply(RedisReplyError(message: message), command: "EVALSHA")
    }

    static let cases: [(RedisError, RedisErrorClass)] = [
        (.cannotConnect(to: "redis", reason: "refused"), .wait),
        (.notSent(to: "redis", reason: "closed"), .wait),
        // A connection that breaks, a reply that does not come or cannot be read: the command may have been executed.
        (.connectionLost(to: "redis", reason: "reset"), .doubt),
        (.timedOut(to: "redis", command: "EVALSHA", after: .seconds(1)), .doubt),
        (.protocolViolation(to: "redis", detail: "no RESP"), .doubt),
        (.replyTooLarge(to: "redis", limit: 1), .doubt),
        // An error reply: nothing was executed. Redis may recover, or someone may change its settings.
        (reply("OOM command not allowed"), .wait),
        (reply("LOADING Redis is loading the dataset in memory"), .wait),
        (reply("MISCONF errors writing to the AOF file"), .wait),
        (reply("NOREPLICAS Not enough good replicas to write."), .wait),
        (reply("CLUSTERDOWN The cluster is down"), .wait),
        (reply("TRYAGAIN Multiple keys request during rehashing of slot"), .wait),
        (reply("BUSY Redis is busy running a script."), .wait),
        (reply("NOSCRIPT No matching script."), .wait),
        (reply("MOVED 3999 127.0.0.1:6381"), .wait),
        (reply("ASK 3999 127.0.0.1:6381"), .wait),
        (reply("READONLY You can't write against a read only replica."), .wait),
        (reply("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"), .wait),
        (reply("NOPERM User stocktake has no permissions to run the 'evalsha' command"), .wait),
        (reply("ERR max number of clients reached"), .wait),
        // Waiting does not help.
        (reply("WRONGTYPE Operation against a key holding the wrong kind of value"), .fatal),
        (reply("WRONGPASS invalid username-password pair or user is disabled."), .fatal),
        (reply("ERR unknown command"), .fatal),
        (.invalidURL("it has no host"), .fatal),
    ]

    @Test("waits, doubts or stops, depending on what the error says about the command", arguments: cases)
    func classes(error: RedisError, expected: RedisErrorClass) {
        #expect(RedisErrorClass(error) == expected)
    }

    @Test("stops at an error that is not from Redis")
    func others() {
        struct OtherError: Error {}
        #expect(RedisErrorClass(OtherError()) == .fatal)
        #expect(!RedisErrorClass.isReply(OtherError()))
        #expect(RedisErrorClass.isReply(Self.reply("OOM")))
        #expect(!RedisErrorClass.isReply(RedisError.notSent(to: "redis", reason: "closed")))
    }
}
