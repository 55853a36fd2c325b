import Foundation
import GRDB
import Synchronization

/// Everything that publishers have sent, and which of it the ledger holds.
///
/// A message counts as recorded when the ledger holds its content: its order with its lines, or, as a dead letter, its
/// bytes. The publisher of an unrecorded message resends it after a while, as every publisher must.
final class SentHistory: Sendable {
    private struct State {
        var messages: [Message] = []
        /// The same bytes sent again are the same message.
        var numbers: [[UInt8]: Int] = [:]
        var unrecorded: [Int: Sending] = [:]
        /// Never resent, and Redis did not confirm that it holds them: they may be recorded or not.
        var doubtful: Set<Int> = []
        var orders: [String: [Message.Line: Int]] = [:]
        var cancellations: [String: Message.CancellationContent] = [:]
        var adjustments: [String: Message.Adjustment] = [:]
        var refunds: [String: Message.Refund] = [:]
        /// With their reasons: a cancellation or refund that preceded its order is republished.
        var deadLetters: [[UInt8]: Set<String>] = [:]
        /// The content of dead letters, by fingerprint: the ledger may remove it later.
        var letters: [Data: [UInt8]] = [:]
        var positions = Positions()
    }

    /// The position of the last row that was checked, by kind.
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
        /// Redis has replied that it holds it.
        var isAccepted = false
        /// Resent after a while.
        var repeats = true
    }

    private let state = Mutex(State())
    /// The most by which a publisher's patience grows.
    private static let patienceGrowth = 4

    /// Notes messages as sent just now.
    /// - Parameter repeats: Whether they are resent while they have no record.
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

    /// Notes Redis' replies to messages that were sent. A message that is not resent, and that Redis did not certainly
    /// accept, may be recorded or not.
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

    /// Messages without a record that are due to be resent, because they were last sent more than `patience` ago.
    func due(patience: Duration, limit: Int = .max) -> [Message] {
        let now = ContinuousClock.now
        return state.withLock { state in
            let due = state.unrecorded.filter {
                $0.value.repeats && $0.value.last + patience * min($0.value.times, Self.patienceGrowth) <= now
            }
            return due.keys.sorted().prefix(limit).map { state.messages[$0] }
        }
    }

    /// All messages that must be recorded and are not.
    var unrecorded: [Message] {
        state.withLock { state in state.unrecorded.keys.sorted().map { state.messages[$0] } }
    }

    var unrecordedCount: Int { state.withLock { $0.unrecorded.count } }

    /// The number of messages so far: later ones have higher numbers.
    var count: Int { state.withLock { $0.messages.count } }

    /// The number of the first `count` messages that have no record.
    func unrecordedCount(ofFirst count: Int) -> Int {
        state.withLock { state in state.unrecorded.count { $0.key < count } }
    }

    /// Numbers of the messages that Redis has confirmed and that have no record.
    var accepted: Set<Int> { state.withLock { Set($0.unrecorded.filter(\.value.isAccepted).keys) } }

    /// The number of these that have no record.
    func unrecordedCount(of numbers: Set<Int>) -> Int {
        state.withLock { state in numbers.count { state.unrecorded[$0] != nil } }
    }

    var messages: [Message] { state.withLock { $0.messages } }

    /// Whether the ledger, as of the last check, holds the entry with these fields.
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

    /// Whether the content of the dead letters with this fingerprint is known.
    func knows(letter fingerprint: Data) -> Bool { state.withLock { $0.letters[fingerprint] != nil } }

    /// The content of removed dead letters, by fingerprint.
    var letters: [Data: [UInt8]] { state.withLock { $0.letters } }

    /// Forgets what was recorded, and reads the whole ledger again after it was replaced. Everything that it lacks must
    /// be recorded, and was accepted.
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

    /// Reads what the ledger has recorded since the last check.
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
