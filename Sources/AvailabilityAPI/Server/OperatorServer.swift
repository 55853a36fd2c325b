import Glibc
import Hummingbird
import HummingbirdCore
import Logging

/// The operator's server. It is separate, because a process that only consumes has it, too.
package struct OperatorServer: Sendable {
    package static func service(
        _ settings: ListenerSettings, token: String?, sources: OperatorSources, unread: UnreadBytes,
        health: @escaping @Sendable () async -> HealthReport, logger: Logger,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void
    ) -> APIService {
        let routes = OperatorRoutes(sources: sources, health: HealthRoutes(report: health))
        let access = OperatorAccess(token: token)
        return APIService(
            name: "operator", settings: settings,
            responder: RouteResponder(
                routes: { routes.route($0) }, admit: { try access.admit($0, $1) },
                rules: ResponseRules(origins: .none, metrics: RequestMetrics(), logger: logger)),
            availabilityRoutes: [], unread: unread, logger: logger, onListening: onListening)
    }
}
