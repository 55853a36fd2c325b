import Inventory
import LuaScripts
import RedisClient

/// One operation for the gate.
package struct Operation: Sendable, Equatable {
    /// The raw values are the gate's.
    package enum Kind: Int64, Sendable {
        /// All of the units or none.
        case take
        /// Units that come back; never refused.
        case give
        /// Units that are sold already, whatever the cap says.
        case add
    }

    package var kind: Kind
    package var demand: [Demand]

    package init(_ kind: Kind, _ demand: [Demand]) {
        self.kind = kind
        self.demand = demand
    }
}

/// The gate's answer to a batch.
package enum GateAnswer: Sendable, Equatable {
    /// One decision an operation, in their order; `seq` is what the counters have now.
    case decided(seq: Int64, [Decision])
    /// Redis is not in the state the batch was made for; nothing was changed.
    case fenced(what: String, found: CounterHead)
}

extension CounterStore {
    /// Decides a batch in one atomic step: the counters are changed by the operations that fit, in their order.
    ///
    /// After an error that says the command may have been executed, only a new epoch tells what the counters are.
    package func decide(_ operations: [Operation], epoch: Int64, seq: Int64) async throws -> GateAnswer {
        var names: [CounterName] = []
        var known: [CounterName: Int64] = [:]
        func number(of counter: CounterName) -> Int64 {
            if let number = known[counter] { return number }
            names.append(counter)
            known[counter] = Int64(names.count)
            return Int64(names.count)
        }
        var numbers: [Int64] = []
        numbers.reserveCapacity(operations.count * 6)
        for operation in operations {
            numbers.append(operation.kind.rawValue)
            numbers.append(Int64(operation.demand.count))
            for demand in operation.demand {
                numbers.append(number(of: demand.counter))
                numbers.append(demand.units)
            }
        }
        let packed = MessagePack.array(numbers)
        let reply = try await scripts.run(.gate, keys: [keys.stock], capacity: names.count * 40 + packed.count + 256) {
            command in
            command.append(ledger)
            command.append(epoch)
            command.append(seq)
            command.append(names.count)
            for name in names { command.append(name.field) }
            command.append(packed)
        }
        return try Self.answer(reply, operations: operations.count, names: names)
    }

    private static func answer(_ reply: RedisValue, operations: Int, names: [CounterName]) throws -> GateAnswer {
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
                let answers = answers(numbers, names: names), answers.count == operations
            else {
                throw CountersError.unexpectedReply(script: "gate", detail: "not an answer for each operation")
            }
            return .decided(seq: seq, answers)
        default:
            throw CountersError.unexpectedReply(script: "gate", detail: "unknown answer \"\(word)\"")
        }
    }

    /// nil for what is no list of answers, or a refusal by no counter.
    private static func answers(_ numbers: [RedisValue], names: [CounterName]) -> [Decision]? {
        var answers: [Decision] = []
        answers.reserveCapacity(numbers.count)
        var rest = numbers.makeIterator()
        while let next = rest.next() {
            guard let number = next.int else { return nil }
            if number >= 0 {
                answers.append(number == 0 ? .unchanged : .accepted(seq: number))
            } else {
                guard number >= -Int64(names.count), let asked = rest.next()?.int, let left = rest.next()?.int
                else { return nil }
                answers.append(.refused(Shortage(counter: names[Int(-number) - 1], asked: asked, left: left)))
            }
        }
        return answers
    }
}
