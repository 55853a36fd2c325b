/// A wait that timed out, or a setup that failed.
package struct TestSupportError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Waits until a condition holds, and fails if it does not hold within the limit. This is the only place where tests
/// wait.
///
/// - Parameter what: completes the sentence "timed out after … waiting for".
/// - Throws: `TestSupportError` after the limit; errors of the condition are rethrown immediately.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String, isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(1)
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else {
            throw TestSupportError("timed out after \(limit) waiting for \(what)")
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(25))
    }
}
