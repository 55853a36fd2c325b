import Glibc
import Logging
import ServiceLifecycle

/// Runs services until one of them ends or the process receives a stop signal; returns when all have ended.
func runServices(_ services: [any Service], logger: Logger) async throws {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint] + (isHangUpIgnored ? [] : [.sighup]), logger: quiet))
    try await group.run()
}

/// Whether the process was started to outlive its terminal, as `nohup` does.
private var isHangUpIgnored: Bool {
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    // SIG_IGN is 1, which is not a function's address: only the bits can be compared.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
}
