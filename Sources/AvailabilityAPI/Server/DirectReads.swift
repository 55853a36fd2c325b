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
    private let rules: AnswerRules
    /// Throws a `Problem` where no answer of a route may be begun.
    private let requireRoom: @Sendable (_ route: String) throws -> Void
    /// Encoded once for all requests for the same in one round trip.
    private let encoded = Mutex(Encoded())

    init(
        storefront: Storefront, rules: AnswerRules, requireRoom: @escaping @Sendable (_ route: String) throws -> Void
    ) {
        self.storefront = storefront
        self.rules = rules
        self.requireRoom = requireRoom
    }

    /// What a request asks for.
    struct Question: Sendable, Hashable {
        let shape: FigureQuery.Shape
        /// Known, and each once.
        let products: [CataloguedProduct]

        static func == (left: Question, right: Question) -> Bool {
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
            var question: Question
            var access: AllowedOrigins.Access
        }

        struct Found {
            var reply: Reply
            var finished: Finished
        }

        var reading: SharedReads.Reading?
        var answers: [Kind: Found] = [:]
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

    /// Of the connection to Redis: a request from there is answered without waking another thread.
    var eventLoop: any EventLoop { storefront.reads.eventLoop }

    // MARK: - Questions

    /// nil: it is for the routes.
    func question(_ request: HTTPRequestHead) -> Question? {
        let fields = request.headers
        guard request.method == .GET, request.version == .http1_1, !fields.contains(name: "Content-Length"),
            !fields.contains(name: "Transfer-Encoding"),
            fields["Connection"].allSatisfy({ $0.lowercased() == "keep-alive" }),
            // Whatever is thrown, the routes throw it again.
            let query = try? FigureQuery(RequestTarget(request.uri)), (try? requireRoom(query.shape.route)) != nil
        else { return nil }
        let view = storefront.catalogue.view
        let products = query.ids.compactMap { view[$0] }
        return products.count == query.ids.count ? Question(shape: query.shape, products: products) : nil
    }

    // MARK: - Answers

    /// The answer's bytes, with what one round trip has brought; nil: it is for the routes after all.
    func answer(
        _ request: HTTPRequestHead, _ question: Question, _ result: Result<SharedReads.Reading, any Error>
    ) -> ByteBuffer? {
        let access = rules.origins.access(for: request.headers.first(name: "Origin"))
        switch result {
        case .success(let reading):
            guard let found = find(Encoded.Kind(question: question, access: access), reading) else { return nil }
            let tags = request.headers["If-None-Match"]
            if !tags.isEmpty {
                let known = tags.joined(separator: ",")
                if Reply.matches(known, found.reply.entityTag) {
                    return finish(found.reply.answer(unless: known), question, access).counted()
                }
            }
            return found.finished.counted()
        case .failure(let error): return finish(Problem(error).answer, question, access).counted()
        }
    }

    private func find(_ kind: Encoded.Kind, _ reading: SharedReads.Reading) -> Encoded.Found? {
        encoded.withLock { encoded in
            if encoded.reading !== reading { encoded = Encoded(reading: reading) }
            if let found = encoded.answers[kind] { return found }
            guard let reply = Self.reply(to: kind.question, reading) else { return nil }
            let found = Encoded.Found(
                reply: reply, finished: finish(reply.answer(unless: nil), kind.question, kind.access))
            encoded.answers[kind] = found
            return found
        }
    }

    /// nil where a product has no figures, or is of another catalogue than they are.
    private static func reply(to question: Question, _ reading: SharedReads.Reading) -> Reply? {
        let figures = question.products.compactMap { $0.version == reading.moment.catalogue ? reading[$0] : nil }
        guard figures.count == question.products.count else { return nil }
        return question.shape.reply(figures, reading.moment)
    }

    private func finish(_ answer: Answer, _ question: Question, _ access: AllowedOrigins.Access) -> Finished {
        var answer = answer
        answer.head.headerFields[.date] = Timestamp.httpDate()
        let counter = rules.finish(
            &answer.head.headerFields, status: answer.head.status, of: question.shape.route, access)
        return Finished(bytes: answer.encoded, counter: counter)
    }
}
