import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// An HTTP server as a service: listens, reports its address, and finishes pending responses before it ends.
package struct APIService: Service {
    let name: String
    let settings: ListenerSettings
    let responder: RouteResponder
    /// One for each event loop; empty if this server does not serve availability.
    let availabilityRoutes: [AvailabilityRoutes]
    let unread: UnreadBytes
    let logger: Logger
    /// Called with the address once the server listens.
    let onListening: @Sendable (_ host: String, _ port: Int) -> Void

    /// Time for pending responses at shutdown; then their connections are closed.
    private static let endTime = Duration.seconds(5)

    package func run() async throws {
        let isListening = Listening()
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { [availabilityRoutes, unread] in
                HTTPConnection(responder: $0, availabilityRoutes: availabilityRoutes, unread: unread)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connections, logger: quiet)),
            onServerRunning: { channel in
                isListening.begin()
                onListening(settings.host, channel.localAddress?.port ?? settings.port)
            },
            logger: quiet)
        do {
            try await runUntilEnd(application)
        } catch  where !isListening.hasBegun && !(error is CancellationError) {
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw ListenError(name: name, host: settings.host, port: settings.port, reason: reason)
        }
    }

    /// A client that does not read its response would otherwise delay the shutdown without limit.
    private func runUntilEnd(_ application: some Service) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: Self.endTime)
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }
}

/// Whether a server has begun to listen: an error before that concerns its address.
private final class Listening: Sendable {
    private let state = Mutex(false)

    var hasBegun: Bool { state.withLock { $0 } }

    func begin() { state.withLock { $0 = true } }
}
