import ArgumentParser
import AvailabilityAPI

/// The settings of what is served over HTTP, valid.
struct HTTPSettings: Sendable {
    var listener: ListenerSettings
    var origins: AllowedOrigins
    var fallsBackToLedger: Bool
    /// What may be held for clients that have not read it, over all connections.
    var bufferBytes: Int
    /// Port 0 is any free one; nil: not said.
    var operatorHost: String
    var operatorPort: Int?
    var operatorToken: String?

    /// The operator's port by default.
    private static let defaultOperatorPort = 8_081

    /// The largest answers take some megabytes, and one must fit.
    private static let bufferRange = 16 << 20...1 << 40

    init(_ sources: SettingsSources) throws {
        listener = ListenerSettings(
            host: try sources.text(.httpHost) ?? "127.0.0.1", port: try sources.number(.httpPort, in: 0...65_535))
        listener.connections = try sources.number(.httpConnections, in: 1...1_000_000)
        bufferBytes = try sources.number(.httpBufferBytes, in: Self.bufferRange)
        origins = try Self.origins(try sources.text(.httpAllowOrigin) ?? "")
        fallsBackToLedger = try sources.isOn(.httpLedgerFallback)
        operatorHost = try sources.text(.operatorHost) ?? "127.0.0.1"
        operatorPort = try sources.optionalNumber(.operatorPort, in: 0...65_535)
        operatorToken = try sources.text(.operatorToken).flatMap { $0.isEmpty ? nil : $0 }
        if operatorToken == nil, !["127.0.0.1", "localhost", "::1"].contains(operatorHost) {
            throw ValidationError(
                "operator_host is \(operatorHost), which others can reach. Set operator_token (STOCKTAKE_OPERATOR_TOKEN), or leave it at 127.0.0.1."
            )
        }
    }

    /// Where the operator is served by a process that serves anyway.
    var operatorListener: ListenerSettings {
        ListenerSettings(host: operatorHost, port: operatorPort ?? Self.defaultOperatorPort)
    }

    private static func origins(_ text: String) throws -> AllowedOrigins {
        if text.isEmpty { return .none }
        if text == "*" { return .all }
        let origins = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
        for origin in origins {
            let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = origin.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            guard isPlain, parts.count == 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty
            else {
                throw ValidationError(
                    "http_allow_origin has \"\(origin)\"; it must be \"*\", or origins such as https://shop.example, separated by commas."
                )
            }
        }
        return .some(origins)
    }
}
