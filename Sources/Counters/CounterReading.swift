import Domain
import RedisClient

/// Counters as a reader found them.
package struct CounterReading: Sendable {
    /// The state they belong to. Of more than `CounterReader.sliceReads` counters, `seq` is that of the oldest part:
    /// the figures are those after this change, or newer.
    package var head: CounterHead
    /// In the order they were asked for. A counter that is missing, or holds an impossible value, has no `sold`.
    package var states: [CounterState]
}

extension CounterReader {
    /// Counters per command. HMGET takes about 0.3 µs per field, so that this many block Redis for a millisecond.
    package static let sliceReads = 1_000

    /// The head and the named counters, any number of them, in one round trip. Plain HMGETs, which need only the right
    /// to read, and cost Redis a tenth of what a script takes.
    ///
    /// - Parameter groups: counters that must be read in one state: a product's and its variants'.
    /// - Returns: the counters one after another; nil if they were installed again between two commands: the caller
    ///   reads again.
    package func read(_ groups: [[CounterName]]) async throws -> CounterReading? {
        var commands: [RedisCommand] = []
        var count = 0
        for slice in Self.slices(groups) {
            count += slice.count
            var command = RedisCommand("HMGET", capacity: keys.stock.utf8.count + 96 + slice.count * 96)
            command.append(keys.stock)
            command.append(contentsOf: CounterHead.fields)
            for name in slice {
                let field = name.field
                command.append("sold:" + field)
                command.append("cap:" + field)
                command.append("closed:" + field)
            }
            commands.append(command)
        }
        var reading: CounterReading?
        for reply in try await client.pipeline(commands) {
            if case .error(let error) = reply { throw RedisError.reply(error, command: "HMGET") }
            guard let values = reply.array, values.count >= CounterHead.fields.count else {
                throw CountersError.unexpectedReply(script: "HMGET", detail: "not the values asked for")
            }
            let head = CounterHead(values[..<CounterHead.fields.count])
            let states = Self.states(values[CounterHead.fields.count...])
            guard let first = reading else {
                reading = CounterReading(head: head, states: states)
                reading?.states.reserveCapacity(count)
                continue
            }
            if head.epoch != first.head.epoch || head.ledger != first.head.ledger { return nil }
            reading?.states.append(contentsOf: states)
        }
        guard let reading, reading.states.count == count else {
            throw CountersError.unexpectedReply(script: "HMGET", detail: "not the values asked for")
        }
        return reading
    }

    /// Whole groups, together `sliceReads` at most, unless one alone has more. At least one slice, for the head.
    private static func slices(_ groups: [[CounterName]]) -> [[CounterName]] {
        var slices: [[CounterName]] = [[]]
        for group in groups {
            let last = slices.count - 1
            if !slices[last].isEmpty, slices[last].count + group.count > sliceReads {
                slices.append(group)
            } else {
                slices[last].append(contentsOf: group)
            }
        }
        return slices
    }

    private static func states(_ values: ArraySlice<RedisValue>) -> [CounterState] {
        stride(from: values.startIndex, to: values.endIndex - 2, by: 3).map { at in
            // A value below 0 can only have been written manually.
            let sold = values[at].int.flatMap { $0 < 0 ? nil : $0 }
            return CounterState(sold: sold, cap: cap(values[at + 1]), isActive: values[at + 2].string != "1")
        }
    }
}
