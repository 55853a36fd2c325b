import ArgumentParser
import Consumer
import Counters
import Glibc
import Inventory
import Ledger
import Paths
import RedisClient

extension LedgerCommand {
    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes this ledger the one that Redis' counters follow, after it was restored or replaced.",
            discussion: """
                Sets the consumer group back to the beginning of the stream, so that what the stream still holds is \
                decided again before anything new is sold. Orders that neither the ledger nor the stream holds are \
                unknown from then on. Exit codes: 0; 1 not adopted: not confirmed, or a consumer is active.
                """)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Do not ask.")
        var yes = false

        func run() async throws {
            let settings = try options.resolve()
            guard let lock = try ProcessLock.acquire(ProcessLock.path(besideLedger: settings.ledger)) else {
                try refuse(LedgerError.inUse(path: settings.ledger, action: "adopting"))
            }
            defer { withExtendedLifetime(lock) {} }
            let ledger = try await LedgerDatabase.open(at: settings.ledger, store: settings.store, for: .tool)
            defer { try? ledger.close() }
            let seq = try await ledger.head().seq
            try await withRedis(settings) { client in
                let head = try await CounterHead.read(settings.keys, client)
                print(
                    "Redis: epoch \(Self.text(head.epoch)), settled seq \(Self.text(head.settled)); this ledger: highest seq \(seq)"
                )
                guard yes || confirm("Let the counters of store \(settings.store) follow \(settings.ledger)?") else {
                    printError("not adopted")
                    throw Exit.no
                }
                // Each step may be repeated: if this is interrupted, the command is run again.
                try await ledger.raiseEpoch(above: head.epoch ?? 0)
                try await startOver(settings.keys, client)
            }
            print("adopted \(settings.ledger); start a consumer, which first decides again what the stream holds")
        }

        private static func text(_ number: Int64?) -> String { number.map(String.init) ?? "none" }
    }
}

/// Makes Redis forget how far the last ledger was: the next consumer installs its counters and reads the stream from
/// its beginning. Each step may be repeated.
func startOver(_ keys: StoreKeys, _ client: RedisClient) async throws {
    // With the group goes what messages were counted by. Where it cannot be asked, they stay uncounted.
    _ = try? await LostMessages.look(keys, client)
    // The next consumer creates the group again at the beginning; pending entries are in the stream as well.
    let reply = try await client.pipeline([RedisCommand("XGROUP", "DESTROY", keys.checkouts, StoreKeys.group)])
    if case .error(let error)? = reply.first, !error.message.contains("requires the key to exist") {
        throw RedisError.reply(error, command: "XGROUP DESTROY")
    }
    _ = try await client.send(RedisCommand("UNLINK", keys.stock))
}

/// Runs `body` with Redis, for which the private one is started if it has data and is not running.
///
/// A private Redis that has never run holds nothing: then `body` does not run, and the answer is nil.
@discardableResult
func withRedis<T>(_ settings: Settings, _ body: (RedisClient) async throws -> T) async throws -> T? {
    let privateRedis = PrivateRedis(settings: settings, logger: settings.logger())
    let isPrivate = settings.redisURL == nil
    // It has never run: there are no counters and no stream.
    if isPrivate, FilePath.access(settings.data + "/redis", F_OK) != 0 { return nil }
    if isPrivate { try await privateRedis.keepRunning() }
    let client = settings.client()
    do {
        // The private one may have been started this moment, and has its data to read.
        try await client.waitUntilConnected(within: .seconds(isPrivate ? 30 : 5))
        let result = try await body(client)
        await client.close()
        await privateRedis.end()
        return result
    } catch {
        await client.close()
        await privateRedis.end()
        throw error
    }
}
