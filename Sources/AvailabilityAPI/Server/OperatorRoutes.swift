import Foundation
import Hummingbird

/// The operator's routes, separate from the public ones: the operator's page and the metrics.
struct OperatorRoutes: Sendable {
    private let table: [String: Route]
    private static let open = ["/healthz", "/readyz"]

    init(sources: OperatorSources, health: HealthRoutes) {
        var routes = [
            PageRoute.page("/operator", .operatorPage), PageRoute.file("/operator.css", .operatorStyle),
            PageRoute.file("/operator.js", .operatorScript),
            Route("/operator/status", get: { _, _, _ in .json(await sources.status()) }),
            Route("/metrics") { _, _, _ in
                let metrics = await sources.metrics()
                return Response(
                    status: .ok, headers: [.contentType: metrics.contentType, .cacheControl: "no-store"],
                    body: .init(byteBuffer: ByteBuffer(bytes: metrics.bytes)))
            },
        ]
        routes += health.routes
        table = Dictionary(uniqueKeysWithValues: routes.map { ($0.name, $0) })
    }

    func route(_ path: Substring) -> Route? { table[String(path)] }

    /// Whether a route needs no authorisation.
    static func isOpen(_ route: Route) -> Bool { open.contains(route.name) }
}

/// Decides who may use the operator's routes.
struct OperatorAccess: Sendable {
    /// nil if none is required, because the address can be reached from this machine only.
    let token: String?

    /// - Throws: `Problem` (401, 403).
    func admit(_ request: Request, _ route: Route?) throws {
        if let route, OperatorRoutes.isOpen(route) { return }
        guard let token else {
            // DNS rebinding: another site may resolve its own name to this address; its pages must not read responses.
            guard Self.isLoopbackName(request.head.authority) else {
                throw Problem(
                    .forbidden,
                    "without operator_token this address only accepts requests for localhost, 127.0.0.1 and [::1]")
            }
            return
        }
        guard let given = Self.token(in: request.headers[.authorization]), Self.isSame(given, token) else {
            var problem = Problem(
                .unauthorized, "the operator's token is needed: as a bearer token, or as the password")
            problem.headers[.wwwAuthenticate] = "Basic realm=\"stocktake operator\", charset=\"UTF-8\""
            throw problem
        }
    }

    /// The token of `Bearer TOKEN`, or the password of `Basic`, which is what browsers send.
    private static func token(in field: String?) -> String? {
        guard let field else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1])
        case "basic":
            guard let bytes = Data(base64Encoded: String(parts[1])),
                let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { return nil }
            return String(text[text.index(after: colon)...])
        default: return nil
        }
    }

    /// Compares in constant time, so that timing does not reveal how much of the token was right.
    private static func isSame(_ given: String, _ token: String) -> Bool {
        let (given, token) = (Array(given.utf8), Array(token.utf8))
        guard given.count == token.count else { return false }
        return zip(given, token).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func isLoopbackName(_ authority: String?) -> Bool {
        guard let authority else { return false }
        if authority == "[::1]" || authority.hasPrefix("[::1]:") { return true }
        let name = authority.prefix { $0 != ":" }.lowercased()
        return name == "localhost" || name == "127.0.0.1"
    }
}
