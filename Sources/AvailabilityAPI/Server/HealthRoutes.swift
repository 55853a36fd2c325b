import HTTPTypes
import Hummingbird
import StrictJSON

/// Whether the process can do its work.
package struct HealthReport: Sendable {
    /// Why it cannot; nil: it can.
    package var trouble: String?
    /// What was looked at, and what was found, in words.
    package var checks: JSONValue

    package init(trouble: String?, checks: JSONValue) {
        self.trouble = trouble
        self.checks = checks
    }
}

/// `/healthz`: the process answers. `/readyz`: it can do its work, which differs by address: answering shoppers at the
/// public one; at the operator's one deciding orders, or, where the process decides none, answering shoppers.
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
    /// An answer that is about this moment only.
    static func json(_ value: JSONValue) -> Response {
        var bytes: [UInt8] = []
        value.write(into: &bytes)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
