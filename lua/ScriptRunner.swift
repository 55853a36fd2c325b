import RedisClient
import Synchronization

/// Runs the embedded scripts on a Redis server by their hash, and loads a script again if the server no longer has it.
package final class ScriptRunner: Sendable {
    package let client: RedisClient
    private let hashes = Mutex<[Script: String]>([:])

    package init(client: RedisClient) {
        self.client = client
    }

    /// Runs `script` and returns its reply.
    ///
    /// `NOSCRIPT` means *not executed*: the script is loaded and sent again. No other failure is retried.
    package func run(
        _ script: Script, keys: [String], capacity: Int = 0, timeout: Duration? = nil,
        arguments: (inout RedisCommand) -> Void
    ) async throws -> RedisValue {
        let hash = try await hash(of: script)
        let command = command(hash: hash, keys: keys, capacity: capacity, arguments: arguments)
        do {
            return try await client.send(command, timeout: timeout)
        } catch RedisError.reply(let reply, _) where reply.code == "NOSCRIPT" {
            let hash = try await load(script)
            return try await client.send(
                self.command(hash: hash, keys: keys, capacity: capacity, arguments: arguments), timeout: timeout)
        }
    }

    private func command(
        hash: String, keys: [String], capacity: Int, arguments: (inout RedisCommand) -> Void
    ) -> RedisCommand {
        var command = RedisCommand("EVALSHA", capacity: capacity)
        command.append(hash)
        command.append(keys.count)
        for key in keys { command.append(key) }
        arguments(&command)
        return command
    }

    private func hash(of script: Script) async throws -> String {
        if let hash = hashes.withLock({ $0[script] }) { return hash }
        return try await load(script)
    }

    private func load(_ script: Script) async throws -> String {
        var command = RedisCommand("SCRIPT")
        command.append("LOAD")
        command.append(script.source)
        guard let hash = try await client.send(command).string else {
            throw RedisError.protocolViolation(
                to: client.url.redacted, detail: "reply to SCRIPT LOAD: no hash for \(script.rawValue)")
        }
        hashes.withLock { $0[script] = hash }
        return hash
    }
}
