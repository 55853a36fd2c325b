import ArgumentParser
import Ingest
import Domain
import RedisClient
import RedisLayout
import StrictJSON
import TextEncodings

struct PublishCommand: AsyncParsableCommand, FileCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes messages, newline-delimited JSON, to the stream.",
        discussion: """
            A line is {"type": "…", "payload": {…}}; the payload's bytes are sent unchanged. Only the envelope is checked: \
            the consumer validates the payload. Publishing a message again does no harm. Exit codes: 0 all lines were \
            sent; 1 some were refused, each reported as FILE:LINE on standard error; the valid ones were sent.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("Files, or - for standard input.", valueName: "FILE"))
    var files: [String]

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Option(
        help: "Messages per second, approximately, to simulate a sale. Default: as fast as possible.")
    var rate: Int?

    func validate() throws {
        if let rate, !Self.rates.contains(rate) {
            throw ValidationError(
                "--rate is \(rate); it must be from \(Self.rates.lowerBound) to \(Self.rates.upperBound).")
        }
    }

    private static let rates = 1...1_000_000
    /// Messages per round trip.
    private static let batch = 500
    /// Bytes per round trip, approximately.
    private static let batchBytes = 4 << 20

    func run() async throws {
        let settings = try options.resolve()
        let client = settings.client()
        var sender = Sender(client: client, keys: settings.keys, pace: rate.map { Pace(rate: $0) })
        for file in files { try await publish(file, &sender) }
        try await sender.flush()
        sender.progress.end()
        await client.close()
        if json {
            printJSON(.members(["published": .integer(sender.sent), "refused": .integer(sender.refused)]))
        } else {
            print(
                "published \(sender.sent.counted("message")) to \(settings.keys.checkouts)\(sender.refused > 0 ? ", refused \(sender.refused.grouped)" : "")"
            )
        }
        if sender.refused > 0 { throw Exit.no }
    }

    private func publish(_ file: String, _ sender: inout Sender) async throws {
        var reader = try LineReader(path: file)
        let name = file == "-" ? "standard input" : file
        guard await reader.begin() else { return sender.refuse(name, TextEncoding.refusal) }
        var number = 0
        while let line = await reader.next() {
            number += 1
            let place = "\(name):\(number)"
            switch line {
            case .tooLong:
                sender.refuse(place, "is longer than \(LineReader.maximumBytes.grouped) bytes")
            case .text(let bytes):
                if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
                do throws(InvalidMessage) {
                    let frame = try MessageFrame.parse(bytes)
                    sender.add(type: frame.type, payload: Array(bytes[frame.payload]), place: place)
                } catch {
                    sender.refuse(place, error.detail)
                }
            }
            if sender.isFull { try await sender.flush() }
        }
        if let failure = reader.failure {
            try await sender.flush()
            throw Failure(
                "publishing failed: on \(name), after line \(number): the rest cannot be read (\(failure)). The lines before it were sent."
            )
        }
    }

    /// Paces messages that are sent at a rate.
    private struct Pace {
        let rate: Int
        let start = ContinuousClock.now

        /// Messages per round trip: few enough that a message is early by at most a twentieth of a second.
        var batch: Int { min(max(rate / 20, 1), PublishCommand.batch) }

        /// Waits until the message that follows the first `sent` is due.
        func wait(after sent: Int) async throws {
            let due = start + .seconds(Double(sent) / Double(rate))
            if due > .now { try await Task.sleep(until: due) }
        }
    }

    /// Collects messages and sends them in batches.
    private struct Sender {
        let client: RedisClient
        let keys: StoreKeys
        let pace: Pace?
        let progress = Progress()
        var sent = 0
        var refused = 0
        private var commands: [RedisCommand] = []
        private var bytes = 0
        private var firstPlace = ""

        init(client: RedisClient, keys: StoreKeys, pace: Pace?) {
            self.client = client
            self.keys = keys
            self.pace = pace
        }

        var isFull: Bool {
            commands.count >= pace?.batch ?? PublishCommand.batch || bytes >= PublishCommand.batchBytes
        }

        mutating func add(type: String, payload: [UInt8], place: String) {
            if commands.isEmpty { firstPlace = place }
            commands.append(StreamWriter.add(StreamWriter.fields(type: type, payload: payload), to: keys))
            bytes += payload.count
        }

        mutating func refuse(_ place: String, _ reason: String) {
            refused += 1
            progress.end()
            printError("\(place): \(reason)")
        }

        mutating func flush() async throws {
            if commands.isEmpty { return }
            try await pace?.wait(after: sent)
            do {
                for reply in try await client.pipeline(commands) {
                    if case .error(let error) = reply { throw RedisError.reply(error, command: "XADD") }
                    sent += 1
                }
            } catch {
                progress.end()
                var isUncertain = (error as? RedisError)?.mayHaveExecuted ?? true
                // Redis refused one command of many, but not the others.
                if case RedisError.reply = error { isUncertain = true }
                throw Failure(
                    "\(explained(error)) \(sent.grouped) messages were sent; those from \(firstPlace) on were \(isUncertain ? "perhaps sent: publish them again, duplicates do no harm" : "not sent")."
                )
            }
            commands.removeAll(keepingCapacity: true)
            bytes = 0
            progress.show("published \(sent.grouped)")
        }
    }
}
