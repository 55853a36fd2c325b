import Domain
import RedisClient

extension CounterStore {
    /// Decides a batch in one atomic step: the commands that fit change the counters, in order.
    ///
    /// After an error that means that the script may have been executed, the counters are unknown until a new epoch.
    package func decide(
        _ commands: [PlannedCommand], epoch: Int64, seq: Int64
    ) async throws -> GateResult {
        var names: [CounterName] = []
        var known: [CounterName: Int64] = [:]
        func number(of counter: CounterName) -> Int64 {
            if let number = known[counter] { return number }
            names.append(counter)
            known[counter] = Int64(names.count)
            return Int64(names.count)
        }
        var numbers = MessagePackArray(capacity: commands.count * 12)
        for planned in commands {
            numbers.append(planned.command.isBoundByCaps ? 0 : 1)
            numbers.append(Int64(planned.movements.count { $0.sold != 0 }))
            for movement in planned.movements where movement.sold != 0 {
                numbers.append(number(of: movement.counter))
                numbers.append(movement.sold)
            }
        }
        let packed = numbers.bytes()
        let reply = try await scripts.run(.gate, keys: [keys.stock], capacity: names.count * 40 + packed.count + 256) {
            command in
            command.append(ledger)
            command.append(epoch)
            command.append(seq)
            command.append(names.count)
            for name in names { command.append(name.field) }
            command.append(packed)
        }
        return try Self.result(reply, commands: commands.count, names: names)
    }

    private static func result(_ reply: RedisValue, commands: Int, names: [CounterName]) throws -> GateResult {
        guard let parts = reply.array, let word = parts.first?.string else {
            throw CountersError.unexpectedReply(script: "gate", detail: "not a list that starts with a word")
        }
        switch word {
        case "FENCED" where parts.count == 5:
            let head = CounterHead(
                ledger: parts[2].string.flatMap { $0.isEmpty ? nil : $0 }, epoch: parts[3].int, seq: parts[4].int)
            return .fenced(what: parts[1].string ?? "", found: head)
        case "DECIDED" where parts.count == 3:
            guard let seq = parts[1].int, let numbers = parts[2].array,
                let decisions = decisions(numbers, names: names), decisions.count == commands
            else {
                throw CountersError.unexpectedReply(script: "gate", detail: "not a decision for each command")
            }
            return .decided(seq: seq, decisions)
        default:
            throw CountersError.unexpectedReply(script: "gate", detail: "unknown reply \"\(word)\"")
        }
    }

    /// Parses the decisions; nil if the list is malformed, or if a refusal names an unknown counter.
    private static func decisions(_ numbers: [RedisValue], names: [CounterName]) -> [Decision]? {
        var decisions: [Decision] = []
        decisions.reserveCapacity(numbers.count)
        var rest = numbers.makeIterator()
        while let next = rest.next() {
            guard let number = next.int else { return nil }
            if number >= 0 {
                decisions.append(number == 0 ? .unchanged : .accepted(seq: number))
            } else {
                guard number >= -Int64(names.count), let asked = rest.next()?.int, let left = rest.next()?.int
                else { return nil }
                decisions.append(.refused(Shortage(counter: names[Int(-number) - 1], asked: asked, left: left)))
            }
        }
        return decisions
    }
}
