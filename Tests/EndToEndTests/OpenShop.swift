import Foundation
import TestSupport

/// A shop that is open: the whole program in one process, with its two addresses.
struct OpenShop {
    let shop: Shop
    let process: ChildProcess
    /// Where everybody reads: `http://127.0.0.1:PORT`.
    let address: String
    /// The operator's page: `http://127.0.0.1:PORT/operator`.
    var operatorPage: String {
        get async throws { try await Self.address(after: "operator page on ", in: process) }
    }

    /// - Parameters:
    ///   - port: 0 = any free one.
    ///   - more: further flags of `run`.
    init(_ shop: Shop, port: Int = 0, _ more: String...) async throws {
        self.shop = shop
        process = try shop.start(["run", "--http-port", "\(port)", "--operator-port", "0"] + more)
        address = try await Self.address(after: "listening on ", in: process)
        try await process.waitForLine(containing: "consuming store", within: .seconds(20))
    }

    var port: Int { URL(string: address)?.port ?? 0 }

    private static func address(after words: String, in process: ChildProcess) async throws -> String {
        let line = try await process.waitForLine(containing: words + "http://", within: .seconds(20))
        guard let start = line.range(of: words)?.upperBound else { throw TestSupportError("no address in: \(line)") }
        return String(line[start...].prefix { !$0.isWhitespace })
    }
}
