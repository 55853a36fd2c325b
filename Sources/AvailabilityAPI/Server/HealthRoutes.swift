import Hummingbird
import StrictJSON

/// `/healthz`: the process responds. `/readyz`: it can do its work. At the public address this is serving shoppers; at
/// the operator's address, deciding orders, or serving shoppers in a process that decides none.
struct HealthRoutes: Sendable {
    let report: @Sendable () async -> HealthReport

    var routes: [Route] {
        [
            Route("/healthz", get: { _, _, _ in .json(.members(["status": .string("ok")])) }),
            Route("/readyz") { _, _, _ in
                let report = await report()
                if let trouble = report.trouble {
                    var problem = Problem.unavailable(trouble)
                    problem.members.append("checks", report.checks)
                    throw problem
                }
                return .json(.members(["status": .string("ready"), "checks": report.checks]))
            },
        ]
    }
}

extension Response {
    /// A JSON response that must not be stored.
    static func json(_ value: JSONValue) -> Response {
        var bytes: [UInt8] = []
        value.write(into: &bytes)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
