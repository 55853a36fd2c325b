/// A decoded message: what it asks for.
package enum Command: Sendable {
    case placeOrder(Order)
    case cancel(Cancellation)
    case adjust(Adjustment)
}
