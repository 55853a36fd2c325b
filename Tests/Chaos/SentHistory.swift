import Foundation
import GRDB
import Synchronization

/// Everything the publishers have sent, and which of it the ledger holds.
///
/// A message counts as recorded when the ledger holds what it says: its order with its content, or, as a dead letter,
/// its bytes. The publisher of a message that is not recorded sends it again after a while: that is a publisher's part.
final class SentHistory: Sendable {
    private struct State {
        var messages: [Message] = []
        /// The same bytes sent again are the same message.
        var numbers: [[UInt8]: Int] = [:]
        var unrecorded: [Int: Sending] = [:]
        /// Never sent again, and Redis did not say that it holds them: they may be recorded or not.
        var doubtful: Set<Int> = []
        var orders: [String: [Message.Line: Int]] = [:]
        var cancellations: [String: Message.CancellationContent] = [:]
        var adjustments: [String: Message.Adjustment] = [:]
        var refunds: [String: Message.Refund] = [:]
        /// With their reasons: a cancellation or refund that came before its order comes again.
        var deadLetters: [[UInt8]: Set<String>] = [:]
        /// What dead letters held, by their fingerprints: it may be removed later.
        var letters: [Data: [UInt8]] = [:]
        var positions = Positions()
    }

    /// Of the last row of each kind that was looked at.
    private struct Positions {
        var orders: Int64 = 0
        var deadLetters: Int64 = 0
        var cancellations: Int64 = 0
        var adjustments: Int64 = 0
        var refunds: Int64 = 0
    }

    private struct Sending {
        var last = ContinuousClock.now
        var times = 1
        /// Redis has answered that it holds it.
        var isAccepted = false
        /// Sent again after a while.
        var repeats = true
    }

    private let state = Mutex(State())
    /// A publisher's patience grows this many times at most.
    private static let patienceGrowth = 4

    /// Notes messages as sent just now.
    /// - Parameter repeats: whether they are sent again while they have no record.
    func sending(_ messages: [Message], repeats: Bool) {
        state.withLock { state in
            for message in messages {
                let bytes = message.bytes
                if let number = state.numbers[bytes] {
                    if let sending = state.unrecorded[number] {
                        state.unrecorded[number]?.last = .now
                        state.unrecorded[number]?.times = sending.times + 1
                        if repeats { state.unrecorded[number]?.repeats = true }
                    } else if !Self.isRecorded(message, bytes, state) {
                        state.unrecorded[number] = Sending(repeats: repeats)
                        state.doubtful.remove(number)
                    }
                    continue
                }
                let number = state.messages.count
                state.messages.append(message)
                state.numbers[bytes] = number
                if !Self.isRecorded(message, bytes, state) { state.unrecorded[number] = Sending(repeats: repeats) }
            }
        }
    }

    /// Notes what Redis said to messages that were sent. One that is not sent again, and that Redis did not take for
    /// certain, may be recorded or not.
    func answered(_ messages: [Message], accepted: [Bool]) {
        state.withLock { state in
            for (message, isAccepted) in zip(messages, accepted) {
                guard let number = state.numbers[message.bytes], let sending = state.unrecorded[number] else {
                    continue
                }
                if isAccepted {
                    state.unrecorded[number]?.isAccepted = true
                } else if !sending.repeats, !sending.isAccepted {
                    state.unrecorded[number] = nil
                    state.doubtful.insert(number)
                }
            }
        }
    }

    /// Those without a record that are to be sent again, as their last sending is older than `patience`.
    func due(patience: Duration, limit: Int = .max) -> [Message] {
        let now = ContinuousClock.now
        return state.withLock { state in
            let due = state.unrecorded.filter {
                $0.value.repeats && $0.value.last + patience * min($0.value.times, Self.patienceGrowth) <= now
            }
            return due.keys.sorted().prefix(limit).map { state.messages[$0] }
        }
    }

    /// All that must be recorded and is not.
    var unrecorded: [Message] {
        state.withLock { state in state.unrecorded.keys.sorted().map { state.messages[$0] } }
    }

    var unrecordedCount: Int { state.withLock { $0.unrecorded.count } }

    /// How many messages there are so far: later ones have higher numbers.
    var count: Int { state.withLock { $0.messages.count } }

    /// How many of the first `count` messages have no record.
    func unrecordedCount(ofFirst count: Int) -> Int {
        state.withLock { state in state.unrecorded.count { $0.key < count } }
    }

    /// Numbers of the messages that Redis has said it holds, and that have no record.
    var accepted: Set<Int> { state.withLock { Set($0.unrecorded.filter(\.value.isAccepted).keys) } }

    /// How many of these have no record.
    func unrecordedCount(of numbers: Set<Int>) -> Int {
        state.withLock { state in numbers.count { state.unrecorded[$0] != nil } }
    }

    var messages: [Message] { state.withLock { $0.messages } }

    /// Whether the ledger, as of the last look, holds the entry with these fields.
    func isRecorded(_ fields: [[UInt8]]) -> Bool {
        let bytes = Message.key(fields)
        return state.withLock { state in
            guard let number = state.numbers[bytes] else {
                // An adjustment that `stock adjust` sent: the command chose the bytes.
                return Message.adjustmentID(fields).map { state.adjustments[$0] != nil } ?? false
            }
            return Self.isRecorded(state.messages[number], bytes, state)
        }
    }

    /// Whether it is known what the dead letters with this fingerprint held.
    func knows(letter fingerprint: Data) -> Bool { state.withLock { $0.letters[fingerprint] != nil } }

    /// What removed dead letters held, by their fingerprints.
    var letters: [Data: [UInt8]] { state.withLock { $0.letters } }

    /// Forgets what was recorded, and reads the whole ledger again: another one is in its place. Everything that it
    /// lacks is to be recorded, and was accepted.
    func startOver(with ledger: LedgerRows) throws {
        state.withLock { state in
            (state.orders, state.cancellations, state.adjustments) = ([:], [:], [:])
            (state.refunds, state.deadLetters) = ([:], [:])
            state.positions = Positions()
            for number in state.messages.indices where !state.doubtful.contains(number) {
                state.unrecorded[number] = Sending(isAccepted: true)
            }
        }
        try look(at: ledger)
    }

    /// Looks at what the ledger has recorded since the last time.
    func look(at ledger: LedgerRows) throws {
        let positions = state.withLock { $0.positions }
        let found = try ledger.read { db in
            (
                orders: try LedgerRows.orders(after: positions.orders, db),
                deadLetters: try LedgerRows.deadLetters(after: positions.deadLetters, db),
                cancellations: try LedgerRows.cancellations(after: positions.cancellations, db),
                adjustments: try LedgerRows.adjustments(after: positions.adjustments, db),
                refunds: try LedgerRows.refunds(after: positions.refunds, db)
            )
        }
        state.withLock { state in
            for row in found.orders {
                state.orders[row.id] = Message.Order(id: row.id, lines: row.lines).content
                state.positions.orders = max(state.positions.orders, row.position)
            }
            for row in found.deadLetters {
                if let bytes = row.bytes { state.letters[row.fingerprint] = bytes }
                if let bytes = state.letters[row.fingerprint] {
                    state.deadLetters[bytes, default: []].insert(row.reason)
                }
                state.positions.deadLetters = max(state.positions.deadLetters, row.position)
            }
            for row in found.cancellations {
                state.cancellations[row.id] = row.content
                state.positions.cancellations = max(state.positions.cancellations, row.position)
            }
            for row in found.adjustments {
                state.adjustments[row.id] = row.content
                state.positions.adjustments = max(state.positions.adjustments, row.position)
            }
            for row in found.refunds {
                state.refunds[row.id] = row.content
                state.positions.refunds = max(state.positions.refunds, row.position)
            }
            state.unrecorded = state.unrecorded.filter { number, _ in
                let message = state.messages[number]
                return !Self.isRecorded(message, message.bytes, state)
            }
        }
    }

    private static func isRecorded(_ message: Message, _ bytes: [UInt8], _ state: State) -> Bool {
        if state.deadLetters[bytes] != nil { return true }
        return switch message.meaning {
        case .order(let order): state.orders[order.id] == order.content
        case .cancellation(let cancellation): state.cancellations[cancellation.id] == cancellation.content
        case .adjustment(let adjustment): state.adjustments[adjustment.id] == adjustment
        case .refund(let refund): state.refunds[refund.id] == refund
        case .poison: false
        }
    }
}
