/// What a test waited for in vain, or could not set up.
package struct TestSupportError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Waits until a condition holds, and fails when it does not within the limit. The only place where tests wait.
///
/// - Parameter what: completes the sentence "waited … in vain for".
/// - Throws: `TestSupportError` when the time is over; what the condition throws, at once.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String, isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(1)
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw TestSupportError("waited \(limit) in vain for \(what)") }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(25))
    }
}
