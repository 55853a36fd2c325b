import Foundation

/// A private folder for a test, removed with its content when the last reference is released.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// Creates the folder. Its path is short, because a unix socket's path may have at most 107 bytes.
    package init() throws {
        let variable = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let parent = variable.utf8.count > 50 ? "/tmp" : variable
        var template = Array("\(parent)/stocktake-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestSupportError("cannot make a folder in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    package func path(of name: String) -> String { "\(path)/\(name)" }

    package func url(of name: String) -> URL { URL(fileURLWithPath: path(of: name)) }

    /// Writes a file.
    /// - Returns: the path of the file.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url(of: name))
        return path(of: name)
    }
}

/// Runs `body` with a folder that is removed afterwards.
package func withTemporaryFolder<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: (TemporaryFolder) async throws -> R
) async throws -> R {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder)
}
