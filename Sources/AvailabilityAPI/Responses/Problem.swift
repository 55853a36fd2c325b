import HTTPTypes
import Hummingbird
import Domain
import NIOCore
import StrictJSON

/// An error response: problem details (RFC 9457), sent as `application/problem+json`.
struct Problem: Error {
    var status: HTTPResponse.Status
    var detail: String
    /// Members other than type, title, status and detail.
    var members = JSONObject()
    var headers = HTTPFields()

    init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// 404, naming every unknown id.
    static func unknown(_ ids: [Identifier]) -> Problem {
        var problem = Problem(
            .notFound, ids.count == 1 ? "there is no such product" : "there are no such products")
        problem.members.append("unknown", .array(ids.map { .string($0.text) }))
        return problem
    }

    /// 400, naming every place where the body breaks a rule.
    static func violations(_ violations: [(path: String, detail: String)]) -> Problem {
        var problem = Problem(.badRequest, "the body breaks a rule")
        problem.members.append(
            "violations",
            .array(
                violations.map { .members(["path": .string($0.path), "detail": .string($0.detail)]) }))
        return problem
    }

    /// 503 for a temporary condition.
    static func unavailable(_ detail: String) -> Problem {
        var problem = Problem(.serviceUnavailable, detail)
        problem.headers[.retryAfter] = "1"
        return problem
    }

    static func methodNotAllowed(_ allow: String) -> Problem {
        var problem = Problem(.methodNotAllowed, "this address accepts \(allow)")
        problem.headers[.allow] = allow
        return problem
    }

    /// The response to a request that failed. For a failure on the server's side it reveals no host or file names.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as AvailabilityUnavailable: self = .unavailable(error.description)
        default: self.init(.internalServerError, "the request failed on the server; its log has the reason")
        }
    }

    var buffered: BufferedResponse {
        var object = JSONObject()
        object.append("type", .string("about:blank"))
        object.append("title", .string(status.reasonPhrase))
        object.append("status", .number(JSONNumber(Int64(status.code))))
        object.append("detail", .string(detail))
        for member in members.members { object.append(member.key, member.value) }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return BufferedResponse(status, headers, ByteBuffer(string: JSONValue.object(object).text))
    }

    var response: Response { buffered.response }
}
