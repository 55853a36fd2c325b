import HTTPTypes
import Inventory
import Metrics
import NIOCore
import NIOHTTP1
import Synchronization

/// The reads that a sale consists of, answered on the event loop of the connection: one product, or the figures of
/// some. A task for each request, as the routes need, takes more than three times the time.
///
/// Only what is plain is answered here. All else goes on to the routes, which know every case, as if this were not
/// there: other methods, parameters that break a rule, products that are unknown or not on sale yet, another catalogue.
final class DirectReads: Sendable {
    let storefront: Storefront
    private let origins: AllowedOrigins
    private let unread: UnreadBytes
    private let metrics: RequestMetrics
    /// Encoded once for all requests for the same in one round trip.
    private let encoded = Mutex(Encoded())

    init(storefront: Storefront, origins: AllowedOrigins, unread: UnreadBytes, metrics: RequestMetrics) {
        self.storefront = storefront
        self.origins = origins
        self.unread = unread
        self.metrics = metrics
    }

    /// What a request asks for.
    struct Question: Sendable, Hashable {
        enum Shape {
            case described
            case figures
        }

        let shape: Shape
        /// Known, and each once.
        let products: [CataloguedProduct]

        static func == (left: Question, right: Question) -> Bool {
            left.shape == right.shape && left.products.elementsEqual(right.products, by: ===)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(shape)
            for product in products { hasher.combine(ObjectIdentifier(product)) }
        }

        /// The route whose answer this is.
        var route: String {
            switch shape {
            case .described: PublicRoutes.productRoute
            case .figures: PublicRoutes.availabilityRoute
            }
        }
    }

    /// Answers with the figures of one reading.
    private struct Encoded {
        struct Kind: Hashable {
            var question: Question
            var access: AllowedOrigins.Access
        }

        struct Found {
            var reply: Reply
            var bytes: ByteBuffer
            var counter: Counter
        }

        var reading: SharedReads.Reading?
        var answers: [Kind: Found] = [:]
    }

    /// Of the connection to Redis: a request from there is answered without waking another thread.
    var eventLoop: any EventLoop { storefront.reads.eventLoop }

    // MARK: - Questions

    /// nil: it is for the routes.
    func question(_ request: HTTPRequestHead) -> Question? {
        let fields = request.headers
        guard request.method == .GET, request.version == .http1_1, !fields.contains(name: "Content-Length"),
            !fields.contains(name: "Transfer-Encoding"),
            fields["Connection"].allSatisfy({ $0.lowercased() == "keep-alive" }), !unread.isExceeded
        else { return nil }
        let target = RequestTarget(request.uri)
        if target.path == PublicRoutes.availabilityRoute { return availability(target) }
        guard target.isWithoutQuery, let id = try? PublicRoutes.productID(target.path),
            let product = storefront.catalogue.view[id]
        else { return nil }
        return Question(shape: .described, products: [product])
    }

    private func availability(_ target: RequestTarget) -> Question? {
        let view = storefront.catalogue.view
        guard let ids = try? target.products() else { return nil }
        let products = ids.compactMap { view[$0] }
        return products.count == ids.count ? Question(shape: .figures, products: products) : nil
    }

    // MARK: - Answers

    /// The answer's bytes, with what one round trip has brought; nil: it is for the routes after all.
    func answer(
        _ request: HTTPRequestHead, _ question: Question, _ result: Result<SharedReads.Reading, any Error>
    ) -> ByteBuffer? {
        let access = origins.access(for: request.headers.first(name: "Origin"))
        switch result {
        case .success(let reading):
            guard let found = find(Encoded.Kind(question: question, access: access), reading) else { return nil }
            let tags = request.headers["If-None-Match"]
            if !tags.isEmpty, Reply.matches(tags.joined(separator: ","), found.reply.entityTag) {
                return counted(found.reply.answer(isUnchanged: true), question, access)
            }
            found.counter.increment()
            return found.bytes
        case .failure(let error): return counted(Problem(error).answer, question, access)
        }
    }

    private func counted(_ answer: Answer, _ question: Question, _ access: AllowedOrigins.Access) -> ByteBuffer {
        metrics.count(route: question.route, status: answer.head.status.code)
        return Self.bytes(of: answer, access)
    }

    private func find(_ kind: Encoded.Kind, _ reading: SharedReads.Reading) -> Encoded.Found? {
        encoded.withLock { encoded in
            if encoded.reading !== reading { encoded = Encoded(reading: reading) }
            if let found = encoded.answers[kind] { return found }
            guard let reply = Self.reply(to: kind.question, reading) else { return nil }
            let answer = reply.answer(isUnchanged: false)
            let found = Encoded.Found(
                reply: reply, bytes: Self.bytes(of: answer, kind.access),
                counter: metrics.counter(route: kind.question.route, status: answer.head.status.code))
            encoded.answers[kind] = found
            return found
        }
    }

    /// nil where a product has no figures, or is of another catalogue than they are.
    private static func reply(to question: Question, _ reading: SharedReads.Reading) -> Reply? {
        let figures = question.products.compactMap { $0.version == reading.moment.catalogue ? reading[$0] : nil }
        guard figures.count == question.products.count else { return nil }
        return switch question.shape {
        case .described: .product(figures[0], reading.moment)
        case .figures: .availability(figures, reading.moment)
        }
    }

    private static func bytes(of answer: Answer, _ access: AllowedOrigins.Access) -> ByteBuffer {
        var answer = answer
        answer.head.headerFields[.date] = Timestamp.httpDate()
        RouteResponder.complete(&answer.head.headerFields, access)
        return answer.encoded
    }
}
