import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// One address and its handlers, by method.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, RequestTarget, RequestOrigin) async throws -> Response

    /// The route's pattern, for metrics.
    let name: String
    let get: Handler?
    let post: Handler?
    /// Whether pages of other origins may use it, if the settings allow them.
    let isShared: Bool

    init(_ name: String, isShared: Bool = false, get: Handler? = nil, post: Handler? = nil) {
        self.name = name
        self.isShared = isShared
        self.get = get
        self.post = post
    }

    /// The value of the `Allow` field.
    var methods: String {
        Self.methods(get: get != nil, post: post != nil)
    }

    static func methods(get: Bool = false, post: Bool = false) -> String {
        [get ? "GET, HEAD" : nil, post ? "POST" : nil, "OPTIONS"].compactMap { $0 }.joined(separator: ", ")
    }
}

/// The connection of a request.
struct RequestOrigin: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }
}

/// Finds the route of a request and applies the rules common to all responses: problem details, HEAD, OPTIONS and
/// access for other origins.
///
/// Hummingbird's router is not used: there are only a dozen addresses, ids must stay encoded until the path is split,
/// and an unsupported method must be distinguished from an unknown address.
struct RouteResponder: HTTPResponder {
    typealias Context = RequestOrigin

    let routes: @Sendable (Substring) throws -> Route?
    /// Refuses a request by throwing a `Problem`.
    let admit: @Sendable (Request, Route?) throws -> Void
    let rules: ResponseRules

    @Sendable func respond(to request: Request, context: RequestOrigin) async throws -> Response {
        var name = "unknown"
        var response: Response
        var isShared = false
        do {
            let target = RequestTarget(request.head.path)
            let found = try routes(target.path)
            if let found { (name, isShared) = (found.name, found.isShared) }
            // Also for unknown addresses: a refused client must not learn which addresses exist.
            try admit(request, found)
            guard let route = found else { throw Problem(.notFound, "there is nothing at this address") }
            response = try await routed(request, target, route, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            response = rules.problem(error, of: name).response
        }
        if request.method == .head { response = response.createHeadResponse() }
        let access = isShared ? rules.origins.access(for: request.headers[.origin]) : nil
        rules.finish(
            &response.headers, status: response.status, of: name, access, isPreflight: request.method == .options
        ).increment()
        return response
    }

    private func routed(
        _ request: Request, _ target: RequestTarget, _ route: Route, _ origin: RequestOrigin
    ) async throws -> Response {
        switch request.method {
        case .get, .head:
            if let get = route.get { return try await get(request, target, origin) }
        case .post:
            if let post = route.post { return try await post(request, target, origin) }
        default: break
        }
        return try BufferedResponse.toOtherMethods(request.method == .options, route.methods).response
    }
}

/// The rules common to all responses of a server, whether `RouteResponder` or `AvailabilityRoutes` makes them.
struct ResponseRules: Sendable {
    let origins: AllowedOrigins
    let metrics: RequestMetrics
    let logger: Logger

    /// The problem to send for a failed request. Errors that only the operator can fix are logged.
    func problem(_ error: any Error, of route: String) -> Problem {
        let problem = Problem(error)
        if problem.status == .internalServerError {
            logger.error("a request failed", metadata: ["route": "\(route)", "error": "\(error)"])
        }
        return problem
    }

    /// Completes the header fields of a response.
    /// - Parameters:
    ///   - route: the route's pattern.
    ///   - access: nil if only pages of this server may use the address.
    /// - Returns: the counter for this route and status, which the caller increments.
    func finish(
        _ fields: inout HTTPFields, status: HTTPResponse.Status, of route: String, _ access: AllowedOrigins.Access?,
        isPreflight: Bool = false
    ) -> Counter {
        fields[.xContentTypeOptions] = "nosniff"
        access?.mark(&fields, isPreflight: isPreflight)
        return metrics.counter(route: route, status: status.code)
    }
}

extension Request {
    /// Time to receive a body, from when its head was read.
    private static let bodyTime = TimeAmount.seconds(10)

    /// The complete body. If it takes too long to arrive, the connection is closed.
    /// - Throws: `Problem` (413).
    func wholeBody(upTo limit: Int, _ channel: any Channel) async throws -> ByteBuffer {
        let tooLarge = Problem(.contentTooLarge, "the body has more than \(limit) bytes")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        if headers[.expect]?.lowercased() == "100-continue" {
            channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
        }
        let deadline = channel.eventLoop.scheduleTask(in: Self.bodyTime) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }
}
