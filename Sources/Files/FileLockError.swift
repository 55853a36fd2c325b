/// A lock file could not be used.
package struct FileLockError: Error, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    package var description: String {
        "taking a lock failed: on \(path): \(reason). Check that the folder exists, and its permissions."
    }
}
