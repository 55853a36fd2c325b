/// A command, and how it would change the counters: what the gate decides.
package struct PlannedCommand: Sendable {
    package var command: Command
    /// Each counter once. For an order all that it asks for; for a cancellation what it takes from its order as it was
    /// then.
    package var movements: [Movement]

    package init(_ command: Command, movements: [Movement]) {
        self.command = command
        self.movements = movements
    }
}
