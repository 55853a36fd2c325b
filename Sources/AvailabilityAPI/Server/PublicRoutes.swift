import Concurrency
import HTTPTypes
import Hummingbird
import Domain
import NIOCore
import WebAssets
import RedisClient

/// The public routes: the page, the API and the health probes, except those of `AvailabilityRoutes`.
struct PublicRoutes: Sendable {
    private let table: [String: Route]

    init(reader: AvailabilityReader, live: LiveAvailability, health: HealthRoutes) {
        let products = ProductReads(reader: reader)
        let cart = CartValidation(reader: reader)
        var routes = [
            Route(
                "/v1/products", isShared: true, get: { request, target, _ in try await products.list(target, request) }),
            Route(
                "/v1/cart/validate", isShared: true,
                post: { request, target, origin in
                    try Self.requireJSON(request)
                    let body = try await request.wholeBody(upTo: CartValidation.maximumBytes, origin.channel)
                    _ = try target.parameters()
                    return try await cart.validate(body, request)
                }),
            Route("/v1/events", isShared: true) { request, target, origin in
                // Validates the ids before the head is sent.
                if request.method == .head { _ = try await reader.availability(of: target.products()) }
                return try await Self.events(live, request, target, origin)
            },
            PageRoute.page("/", .index), PageRoute.file("/page.css", .pageStyle),
            PageRoute.file("/page.js", .pageScript), PageRoute.file("/badge.js", .badge, isShared: true),
            PageRoute.file("/openapi.yaml", .openAPI, isShared: true),
        ]
        routes += health.routes
        table = Dictionary(uniqueKeysWithValues: routes.map { ($0.name, $0) })
    }

    func route(_ path: Substring) -> Route? { table[String(path)] }

    private static func requireJSON(_ request: Request) throws {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        guard type?.trimmingBlanks == "application/json" else {
            throw Problem(.unsupportedMediaType, "the body must be application/json")
        }
    }

    // MARK: - Events

    private static func events(
        _ live: LiveAvailability, _ request: Request, _ target: RequestTarget, _ origin: RequestOrigin
    ) async throws -> Response {
        let ids = try target.products()
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        // Proxies that buffer responses would delay events.
        headers[.xAccelBuffering] = "no"
        if request.method == .head { return Response(status: .ok, headers: headers) }
        let lastEventID = request.headers[.lastEventID].flatMap { EventID($0) }
        let channel = origin.channel
        let subscriber = try await live.subscribe(to: ids, lastEventID: lastEventID) { channel.close(promise: nil) }
        // Unsubscribe when the connection drops. A client that only half-closed may still be reading; the next
        // heartbeat fails if it is not.
        channel.closeFuture.whenComplete { _ in Task { await live.unsubscribe(subscriber) } }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await writer.write(ServerSentEvent.retry())
                try await send(to: subscriber, live, channel)
                try await writer.finish(nil)
            })
    }

    private static func send(to subscriber: Subscriber, _ live: LiveAvailability, _ channel: any Channel) async throws {
        let stage = try await channel.eventLoop.submit {
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: FastPathHandler.self), eventLoop: channel.eventLoop)
        }.get()
        let tasks = EventLoopTasks(channel.eventLoop)
        // Runs on the connection's event loop, so that an event wakes no other thread.
        while try await withTaskExecutorPreference(tasks, operation: { try await send(to: subscriber, stage, channel) })
        {
            await live.catchUp(subscriber)
        }
    }

    /// Sends events until there are no more. The next events are dequeued only after the socket has accepted the
    /// previous ones: until then they wait in the subscriber's queue, where they are counted and can be dropped.
    /// - Returns: whether the subscriber missed events; if not, the subscription has ended.
    private static func send(
        to subscriber: Subscriber, _ stage: NIOLoopBound<FastPathHandler>, _ channel: any Channel
    ) async throws -> Bool {
        while true {
            switch await subscriber.next() {
            case .events(let events):
                let sent = channel.eventLoop.makePromise(of: Void.self)
                channel.eventLoop.execute { stage.value.send(events, sent) }
                // At shutdown the process does not wait for a client that does not read.
                try await withTaskCancellationHandler {
                    try await sent.futureResult.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
            case .missed: return true
            case .over: return false
            }
        }
    }
}

extension HTTPField.Name {
    // These constant names are valid.
    // swift-format-ignore: NeverForceUnwrap
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID")!
    // swift-format-ignore: NeverForceUnwrap
    fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
