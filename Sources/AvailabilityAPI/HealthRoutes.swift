import HTTPTypes
import Hummingbird
import StrictJSON

/// Whether the process can do its work.
package struct Readiness: Sendable {
    package var isReady: Bool
    /// What was looked at, and what was found, in words.
    package var checks: [(name: String, finding: String)]

    package init(isReady: Bool, checks: [(name: String, finding: String)]) {
        self.isReady = isReady
        self.checks = checks
    }
}

/// `/healthz`: the process answers. `/readyz`: it can do its work. Both at both addresses, for whoever balances load.
struct HealthRoutes: Sendable {
    let readiness: @Sendable () async -> Readiness

    var routes: [Route] {
        [
            Route("/healthz", get: { _, _, _ in Self.response(.ok, [("status", .string("ok"))]) }),
            Route("/readyz") { _, _, _ in
                let readiness = await readiness()
                var checks = JSONObject()
                for check in readiness.checks { checks.append(check.name, .string(check.finding)) }
                guard readiness.isReady else {
                    var problem = Problem.unavailable("not ready: see the checks")
                    problem.members.append("checks", .object(checks))
                    throw problem
                }
                return Self.response(.ok, [("status", .string("ready")), ("checks", .object(checks))])
            },
        ]
    }

    private static func response(_ status: HTTPResponse.Status, _ members: [(String, JSONValue)]) -> Response {
        var object = JSONObject()
        for (name, value) in members { object.append(name, value) }
        return .json(.object(object), status)
    }
}

extension Response {
    /// An answer that is about this moment only.
    static func json(_ value: JSONValue, _ status: HTTPResponse.Status = .ok) -> Response {
        var bytes: [UInt8] = []
        value.write(into: &bytes)
        return Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
