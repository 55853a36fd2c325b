import Domain
import Failpoints
import RedisClient

extension CounterStore {
    /// Counters per call while they are prepared, with at most three fields each: a few milliseconds of Redis' time.
    private static let sliceCounters = 1_300
    /// The number of earlier epochs whose keys, if a crash left them behind, are removed.
    private static let leftoverEpochs: Int64 = 32

    /// Replaces the old counters with those of a new epoch, atomically.
    ///
    /// The counters are prepared under a separate key for this epoch, which the last script renames. A crash before
    /// that leaves a key that a later epoch removes. After an error the caller must try the next epoch: this one may
    /// have been installed.
    package func install(_ installation: Installation) async throws -> InstallResult {
        let staging = keys.staging(epoch: installation.epoch)
        var leftovers = RedisCommand("UNLINK", staging)
        for earlier in 1...Self.leftoverEpochs { leftovers.append(keys.staging(epoch: installation.epoch - earlier)) }
        _ = try await scripts.client.send(leftovers)
        var slice = PreparedFields()
        slice.add("ledger", ledger)
        slice.add("epoch", installation.epoch)
        slice.add("seq", installation.seq)
        slice.add("settled", installation.seq)
        slice.add("recorded", installation.recorded)
        slice.add("catalogue", installation.catalogueVersion)
        // Sends one slice after the other: all at once would take most of the memory that a large catalogue needs.
        var sent = 0
        for start in stride(from: 0, through: installation.counters.count, by: Self.sliceCounters) {
            for (name, state) in installation.counters[start...].prefix(Self.sliceCounters) { slice.add(name, state) }
            if slice.count == 0 { continue }
            let fields = slice
            _ = try await scripts.run(.stage, keys: [staging]) { fields.append(to: &$0) }
            sent += slice.count
            slice = PreparedFields()
        }
        Failpoint.epochPrepared.pass()
        let reply = try await scripts.run(.install, keys: [keys.stock, staging]) { command in
            command.append(ledger)
            command.append(installation.epoch)
            command.append(installation.seq)
            command.append(installation.recorded)
            command.append(sent)
            command.append(installation.position)
        }
        return try Self.result(reply, sent: sent)
    }

    private static func result(_ reply: RedisValue, sent: Int) throws -> InstallResult {
        let parts = reply.array ?? []
        switch (parts.first?.string, parts.dropFirst().first) {
        case ("INSTALLED", let announced?) where announced.int != nil:
            return .installed(announced: announced.int ?? 0)
        case ("OTHER_LEDGER", let found): return .refused(.otherLedger(found?.string ?? ""))
        case ("EPOCH_NOT_LOWER", let found): return .refused(.laterEpoch(found?.int ?? 0))
        case ("LEDGER_BEHIND", let found):
            return .refused(.moreRecorded(settled: found?.int ?? 0, recorded: parts.last?.int ?? 0))
        case ("INCOMPLETE", let found):
            throw CountersError.installIncomplete(sent: sent, found: found?.string ?? "")
        default:
            throw CountersError.unexpectedReply(script: "install", detail: "unknown reply")
        }
    }
}

/// The fields of the counters that one call prepares.
private struct PreparedFields {
    private var texts: [String] = []

    var count: Int { texts.count / 2 }

    func append(to command: inout RedisCommand) { command.append(contentsOf: texts) }

    mutating func add(_ field: String, _ value: String) {
        texts.append(field)
        texts.append(value)
    }

    mutating func add(_ field: String, _ value: Int64) { add(field, String(value)) }

    mutating func add(_ name: CounterName, _ state: CounterState) {
        if let sold = state.sold { add("sold:\(name.field)", sold) }
        if let cap = state.cap { add("cap:\(name.field)", cap) }
        if !state.isActive { add("closed:\(name.field)", "1") }
    }
}
