import Ingest
import Domain
import Ledger
import RedisClient
import StrictJSON

/// Sends a command through the stream, like any message, and waits for its result.
package struct CommandSubmission: Sendable {
    package enum Result: Sendable {
        /// Recorded now, or earlier under the same id with the same content.
        case recorded
        /// Not sent: the ledger in its present state cannot record it.
        case objection(InvalidMessage)
        /// Sent, but it became a dead letter.
        case deadLetter(RecordedDeadLetter)
        /// Sent, but not processed yet: no consumer is active, or the consumer did not reach it within `patience`.
        case sent
    }

    /// The submission failed. Repeating it under the same id is safe: it counts once.
    package struct Failure: Error {
        /// Whether the message is on the stream.
        package enum Sent: Sendable {
            case no
            case perhaps
            case yes
        }

        package var sent: Sent
        package var cause: any Error
    }

    private let ledger: any LedgerRecords
    private let lease: any LeaseRegister
    private let publisher: any MessagePublisher
    /// How long the consumer may take to process the message.
    package var patience = Duration.seconds(10)
    package var pollInterval = Duration.milliseconds(50)

    package init(ledger: any LedgerRecords, lease: any LeaseRegister, publisher: any MessagePublisher) {
        self.ledger = ledger
        self.lease = lease
        self.publisher = publisher
    }

    /// Sends the command, unless it is recorded already or cannot be, and waits up to `patience` for the result.
    /// - Parameters:
    ///   - payload: the payload of the command's message.
    ///   - objection: returns why the ledger in its present state cannot record the command; nil if it can.
    ///   - willSend: called just before sending. A run that is interrupted later can be repeated under the same id.
    /// - Throws: `LedgerError` before `willSend` is called, `Failure` afterwards.
    package func run(
        _ command: Command, payload: JSONValue, objection: () async throws -> InvalidMessage? = { nil },
        willSend: () -> Void
    ) async throws -> Result {
        let (kind, id) = (command.kind, command.key.id)
        if let prior = try await ledger.priorDecision(of: command.key) {
            guard prior.digest != command.digest else { return .recorded }
            return .objection(
                InvalidMessage(kind.conflict, "\(kind.idField): \"\(id)\" is recorded with other content"))
        }
        if let invalid = try await objection() { return .objection(invalid) }
        willSend()
        let entry: String
        do {
            entry = try await publisher.publish(
                StreamWriter.fields(type: kind.rawValue, payload: Array(payload.text.utf8)))
        } catch {
            throw Failure(sent: (error as? RedisError)?.mayHaveExecuted ?? true ? .perhaps : .no, cause: error)
        }
        do {
            return try await wait(for: command, entry)
        } catch {
            throw Failure(sent: .yes, cause: error)
        }
    }

    private func wait(for command: Command, _ entry: String) async throws -> Result {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            // If the user gave the id, other content may be recorded under it: this message then becomes a dead letter.
            if try await ledger.priorDecision(of: command.key)?.digest == command.digest { return .recorded }
            if let letter = try await ledger.deadLetter(ofEntry: entry) { return .deadLetter(letter) }
            if await !lease.state().isHeld { break }
            try await Task.sleep(for: pollInterval)
        }
        return .sent
    }
}

extension Adjustment {
    /// The payload of a `stock.adjusted` message.
    package var payload: JSONValue {
        .members([
            "adjustment_id": .string(adjustmentID.text), "product_id": .string(sku.productID.text),
            "variant_id": .text(sku.variantID?.text), "sold": .integer(units), "reason": .string(reason),
            "adjusted_at": .text(adjustedAt), "by": .text(by),
        ])
    }
}

extension Refund {
    /// The payload of an `order.refunded` message.
    package var payload: JSONValue {
        .members([
            "refund_id": .string(refundID.text), "order_id": .string(orderID.text),
            "payment_intent_id": .text(paymentIntentID), "amount": .integer(amount), "currency": .text(currency),
            "refunded_at": .text(refundedAt), "by": .text(by),
        ])
    }
}
