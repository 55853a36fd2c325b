/// The status of an order. The raw values are public.
package enum OrderStatus: String, Sendable, CaseIterable {
    case accepted
    case refused
    /// The order was accepted, and later cancelled completely.
    case cancelled
}
