import HTTPTypes
import Domain
import Metrics
import NIOCore
import NIOHTTP1
import Synchronization

/// The two routes on which a sale depends, one product and the availability of several, served entirely on the
/// connection's event loop. Serving them with a task per request, like the remaining routes, takes more than three
/// times as long.
final class AvailabilityRoutes: Sendable {
    private let reader: AvailabilityReader
    private let rules: ResponseRules
    /// Throws a `Problem` if the route has no room for another response.
    private let requireCapacity: @Sendable (_ route: String) throws -> Void
    /// Encoded responses, shared by all identical requests of one round trip.
    private let encoded = Mutex(Encoded())

    init(
        reader: AvailabilityReader, rules: ResponseRules,
        requireCapacity: @escaping @Sendable (_ route: String) throws -> Void
    ) {
        self.reader = reader
        self.rules = rules
        self.requireCapacity = requireCapacity
    }

    /// Identifies an encoded response: its shape, and its products, all known and without duplicates.
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

    /// The encoded responses of one snapshot.
    private struct Encoded {
        struct Kind: Hashable {
            var responseKey: ResponseKey
            var access: AllowedOrigins.Access
        }

        struct Found {
            var response: AvailabilityResponse
            /// The response to a plain request: `GET`, with the connection kept open.
            var finished: Finished
        }

        /// Maximum total size of the bodies cached per snapshot. Cached bytes that clients have not read yet are not
        /// counted elsewhere.
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

    /// A response's bytes, and the counter for it.
    private struct Finished {
        var bytes: ByteBuffer
        var counter: Counter

        func counted() -> ByteBuffer {
            counter.increment()
            return bytes
        }
    }

    typealias WhenMade = @Sendable (ByteBuffer) -> Void

    /// The event loop of the Redis connection: requests from the same event loop are served without waking another
    /// thread.
    var eventLoop: any EventLoop { reader.reads.eventLoop }

    /// Responds to a request.
    /// - Parameter whenMade: called once with the response's bytes, on `eventLoop`, and never before this method has
    ///   returned.
    func respond(to request: AvailabilityRequest, on eventLoop: any EventLoop, _ whenMade: @escaping WhenMade) {
        do {
            try requireCapacity(request.query.shape.route)
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

    /// Responds in the rare cases: products that are unknown or not on sale yet, or a catalogue that must be read
    /// first.
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

    // MARK: - Responses

    /// nil if a product has no availability, or if it belongs to a different catalogue from the snapshot's.
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
            // Checked again: one round trip may serve many admitted requests, each for different products.
            try requireCapacity(kind.responseKey.shape.route)
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

/// A request to one of the two routes, with any method.
final class AvailabilityRequest: Sendable {
    let head: HTTPRequestHead
    let query: AvailabilityQuery
    /// Whether the connection closes after the response: because the client asked for that, or because the request has
    /// a body, which is not read.
    let isLast: Bool
    let hasBody: Bool
    /// The value of the response's `Connection` field; nil if it needs none.
    let connectionField: String?

    /// - Returns: nil if another route serves this address.
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

    /// Whether it requests availability, or only the header fields of that response.
    var isRead: Bool { head.method == .GET || head.method == .HEAD }

    /// Whether its response is shared with identical requests.
    var isPlain: Bool { head.method == .GET && connectionField == nil }

    /// The entity tags that the client sent, if any.
    var knownTags: String? {
        let fields = head.headers["If-None-Match"]
        return fields.isEmpty ? nil : fields.joined(separator: ",")
    }

    /// The origin of the page that sent the request.
    var origin: String? { head.headers.first(name: "Origin") }
}
