import ArgumentParser
import AvailabilityAPI

/// The validated settings of the HTTP servers.
struct HTTPSettings: Sendable {
    var listener: ListenerSettings
    var origins: AllowedOrigins
    var fallsBackToLedger: Bool
    /// The most bytes buffered for clients that have not read them, over all connections.
    var bufferBytes: Int
    var operatorHost: String
    /// 0 selects any free port; nil if not set.
    var operatorPort: Int?
    var operatorToken: String?

    /// The operator's default port.
    static let defaultOperatorPort = 8_081

    init(_ sources: SettingsSources) throws {
        listener = ListenerSettings(
            host: try sources.value(.httpHost), port: try sources.value(.httpPort))
        listener.connections = try sources.value(.httpConnections)
        bufferBytes = try sources.value(.httpBufferBytes)
        origins = try Self.origins(try sources.value(.httpAllowOrigin) ?? "")
        fallsBackToLedger = try sources.value(.httpLedgerFallback)
        operatorHost = try sources.value(.operatorHost)
        operatorPort = try sources.value(.operatorPort)
        operatorToken = try sources.value(.operatorToken)
        if operatorToken == nil, !["127.0.0.1", "localhost", "::1"].contains(operatorHost) {
            throw ValidationError(
                "operator_host is \(operatorHost), which other machines can reach. Set operator_token (STOCKTAKE_OPERATOR_TOKEN), or leave it at 127.0.0.1."
            )
        }
    }

    /// The address of the operator's server in a process that serves HTTP in any case.
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
