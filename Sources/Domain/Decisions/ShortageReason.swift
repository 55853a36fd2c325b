/// Why an order was refused. The raw values are part of the public contract.
package enum ShortageReason: String, Sendable, CaseIterable, Codable {
    /// No units are left.
    case soldOut = "sold_out"
    /// Some units are left, but fewer than were asked for.
    case insufficient
}
