/// Why a message is invalid: the reason, and the location and details as text.
///
/// `detail` may contain paths, types, sizes, ids and numbers, but never a customer's name, e-mail or address.
package struct InvalidMessage: Error, Sendable, Equatable {
    package var reason: DeadLetterReason
    package var detail: String

    package init(_ reason: DeadLetterReason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}
