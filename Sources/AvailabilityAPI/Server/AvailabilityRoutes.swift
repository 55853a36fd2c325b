import HTTPTypes
import Domain
import Metrics
import NIOCore
import NIOHTTP1
import Synchronization

/// The two routes that a sale consists of, one product and the figures of some: answered here, on the event loop of the
/// connection, and nowhere else. A task for each request, as the other routes need, takes more than three times the
/// time.
final class AvailabilityRoutes: Sendable {
    private let reader: AvailabilityReader
    private let rules: ResponseRules
    /// Throws a `Problem` where no answer of a route may be begun.
    private let requireRoom: @Sendable (_ route: String) throws -> Void
    /// Encoded once for all requests for the same in one round trip.
    private let encoded = Mutex(Encoded())

    init(
        reader: AvailabilityReader, rules: ResponseRules,
        requireRoom: @escaping @Sendable (_ route: String) throws -> Void
    ) {
        self.reader = reader
        self.rules = rules
        self.requireRoom = requireRoom
    }

    /// What is encoded once: the figures of these products, each known and named once.
    private struct ResponseKey: Hashable {
        let shape: AvailabilityQuery.Shape
        let products: [ProductView]

        static func == (left: ResponseKey, right: ResponseKey) -> Bool {
            left.shape == right.shape && left.products.elementsEqual(right.products, by: ===)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(shape)
            for product in products { hasher.combine(ObjectIdentifier(product)) }
        }
    }

    /// Answers with the figures of one reading.
    private struct Encoded {
        struct Kind: Hashable {
            var responseKey: ResponseKey
            var access: AllowedOrigins.Access
        }

        struct Found {
            var response: AvailabilityResponse
            /// For a plain request: `GET`, with the connection left open.
            var finished: Finished
        }

        /// Bytes of bodies that are kept of one reading: what clients have read of them is not counted elsewhere.
        private static let room = 8 << 20

        private(set) var snapshot: CoalescingReader.Snapshot?
        private var responses: [Kind: Found] = [:]
        private var bytes = 0

        init(of snapshot: CoalescingReader.Snapshot? = nil) { self.snapshot = snapshot }

        subscript(kind: Kind) -> Found? { responses[kind] }

        mutating func keep(_ found: Found, _ kind: Kind) {
            bytes += found.response.body.readableBytes
            if bytes <= Self.room { responses[kind] = found }
        }
    }

    /// An answer's bytes, and what counts it.
    private struct Finished {
        var bytes: ByteBuffer
        var counter: Counter

        func counted() -> ByteBuffer {
            counter.increment()
            return bytes
        }
    }

    typealias WhenMade = @Sendable (ByteBuffer) -> Void

    /// Of the connection to Redis: a request from there is answered without waking another thread.
    var eventLoop: any EventLoop { reader.reads.eventLoop }

    /// Answers a request.
    /// - Parameter whenMade: called once, with the answer's bytes: on `eventLoop`, and never before this has returned.
    func respond(to request: AvailabilityRequest, on eventLoop: any EventLoop, _ whenMade: @escaping WhenMade) {
        do {
            try requireRoom(request.query.shape.route)
            guard request.isRead else {
                let response = try BufferedResponse.toOtherMethods(
                    request.head.method == .OPTIONS, Route.methods(get: true))
                return eventLoop.execute { whenMade(self.finish(response, request).counted()) }
            }
            guard let products = try request.query.products(of: reader.catalogue.view) else {
                return lookUp(request, on: eventLoop, whenMade)
            }
            let responseKey = ResponseKey(shape: request.query.shape, products: products)
            reader.reads.read(products, on: eventLoop) { result in
                do {
                    if let found = try self.find(responseKey, request, result.get()) {
                        whenMade(found)
                    } else {
                        self.lookUp(request, on: eventLoop, whenMade)
                    }
                } catch {
                    whenMade(self.finish(error, request).counted())
                }
            }
        } catch {
            eventLoop.execute { whenMade(self.finish(error, request).counted()) }
        }
    }

    /// Answers what is rare: products that are unknown, or not on sale yet, or of another catalogue, which is read.
    private func lookUp(
        _ request: AvailabilityRequest, on eventLoop: any EventLoop, _ whenMade: @escaping WhenMade
    ) {
        Task {
            var finished: Finished
            do {
                let (version, availability) = try await reader.availability(of: request.query.ids())
                let response = request.query.shape.response(availability, version)
                finished = finish(response.buffered(unless: request.knownTags), request)
            } catch {
                finished = finish(error, request)
            }
            eventLoop.execute { [finished] in whenMade(finished.counted()) }
        }
    }

    // MARK: - Answers

    /// nil where a product has no figures, or is of another catalogue than they are.
    private func find(
        _ responseKey: ResponseKey, _ request: AvailabilityRequest, _ snapshot: CoalescingReader.Snapshot
    ) throws -> ByteBuffer? {
        let kind = Encoded.Kind(responseKey: responseKey, access: rules.origins.access(for: request.origin))
        guard let found = try find(kind, snapshot) else { return nil }
        let tags = request.knownTags
        if request.isPlain, !(tags.map { AvailabilityResponse.matches($0, found.response.entityTag) } ?? false) {
            return found.finished.counted()
        }
        return finish(found.response.buffered(unless: tags), request).counted()
    }

    private func find(_ kind: Encoded.Kind, _ snapshot: CoalescingReader.Snapshot) throws -> Encoded.Found? {
        try encoded.withLock { encoded in
            if encoded.snapshot !== snapshot { encoded = Encoded(of: snapshot) }
            if let found = encoded[kind] { return found }
            guard let response = Self.response(to: kind.responseKey, snapshot) else { return nil }
            // Asked again: many requests may have been admitted for one round trip, each for something else.
            try requireRoom(kind.responseKey.shape.route)
            let found = Encoded.Found(
                response: response,
                finished: finish(response.buffered(unless: nil), kind.responseKey.shape, kind.access))
            encoded.keep(found, kind)
            return found
        }
    }

    private static func response(to responseKey: ResponseKey, _ snapshot: CoalescingReader.Snapshot)
        -> AvailabilityResponse?
    {
        let availability = responseKey.products.compactMap {
            $0.version == snapshot.version.catalogue ? snapshot[$0] : nil
        }
        guard availability.count == responseKey.products.count else { return nil }
        return responseKey.shape.response(availability, snapshot.version)
    }

    private func finish(_ error: any Error, _ request: AvailabilityRequest) -> Finished {
        finish(rules.problem(error, of: request.query.shape.route).buffered, request)
    }

    private func finish(_ response: BufferedResponse, _ request: AvailabilityRequest) -> Finished {
        var response = response
        if let connection = request.connectionField { response.head.headerFields[.connection] = connection }
        if request.head.method == .HEAD { response.body = ByteBuffer() }
        return finish(
            response, request.query.shape, rules.origins.access(for: request.origin),
            isPreflight: request.head.method == .OPTIONS)
    }

    private func finish(
        _ response: BufferedResponse, _ shape: AvailabilityQuery.Shape, _ access: AllowedOrigins.Access,
        isPreflight: Bool = false
    ) -> Finished {
        var response = response
        response.head.headerFields[.date] = Timestamp.httpDate()
        let counter = rules.finish(
            &response.head.headerFields, status: response.head.status, of: shape.route, access, isPreflight: isPreflight
        )
        return Finished(bytes: response.encoded, counter: counter)
    }
}

/// A request at one of the two routes, whatever its method.
final class AvailabilityRequest: Sendable {
    let head: HTTPRequestHead
    let query: AvailabilityQuery
    /// Whether the connection ends with the answer: it was asked for, or a body comes, which nobody reads.
    let isLast: Bool
    let hasBody: Bool
    /// What the answer has to say about that (`Connection`), if anything.
    let connectionField: String?

    /// - Returns: nil: the address is another route's.
    init?(_ head: HTTPRequestHead) {
        guard let query = AvailabilityQuery(RequestTarget(head.uri)) else { return nil }
        self.head = head
        self.query = query
        hasBody =
            head.headers.contains(name: "Transfer-Encoding")
            || head.headers.first(name: "Content-Length").map { $0 != "0" } ?? false
        let persistence = Persistence(head)
        isLast = hasBody || persistence.isAskedToEnd
        connectionField = persistence.field(isLast: isLast)
    }

    /// Whether it asks for figures, or for what would be said with them.
    var isRead: Bool { head.method == .GET || head.method == .HEAD }

    /// Whether its answer is that of all who ask the same.
    var isPlain: Bool { head.method == .GET && connectionField == nil }

    /// The tags of the figures that the client has, if any.
    var knownTags: String? {
        let fields = head.headers["If-None-Match"]
        return fields.isEmpty ? nil : fields.joined(separator: ",")
    }

    /// Of the page that asks.
    var origin: String? { head.headers.first(name: "Origin") }
}
