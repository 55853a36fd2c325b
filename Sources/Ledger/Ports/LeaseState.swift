package struct LeaseState: Sendable, Equatable {
    package var isHeld: Bool
    /// The id of the process that holds the lease or was the last to hold it; `nil` if unknown.
    package var process: Int32?

    package init(isHeld: Bool, process: Int32?) {
        self.isHeld = isHeld
        self.process = process
    }
}
