/// A command with the movements it would make: the input of the gate.
package struct PlannedCommand: Sendable {
    package var command: Command
    /// Each counter once. For an order, all units that it asks for; for a cancellation, the units that it takes from
    /// its order as the order was at that time.
    package var movements: [Movement]

    package init(_ command: Command, movements: [Movement]) {
        self.command = command
        self.movements = movements
    }
}
