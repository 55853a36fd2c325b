import HTTPTypes
import Inventory

/// The reads that a sale consists of, answered on the event loop of the connection: one product, or the figures of some.
/// A task for each request, as the routes need, takes more than twice the time.
///
/// Only what is plain is answered here. All else goes on to the routes, which know every case, as if this were not there:
/// other methods, parameters that break a rule, products that are unknown or not on sale yet, another catalogue.
struct DirectReads: Sendable {
    let storefront: Storefront
    let responder: RouteResponder

    /// What a request asks for.
    struct Question: Sendable, Hashable {
        enum Look {
            case described
            case figures
        }

        let look: Look
        /// Known, and each once.
        let products: [CataloguedProduct]

        static func == (left: Question, right: Question) -> Bool {
            left.look == right.look && left.products.elementsEqual(right.products, by: ===)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(look)
            for product in products { hasher.combine(ObjectIdentifier(product)) }
        }

        /// The route whose answer this is.
        var route: String {
            switch look {
            case .described: PublicRoutes.productRoute
            case .figures: PublicRoutes.availabilityRoute
            }
        }
    }

    /// nil: it is for the routes.
    func question(_ request: HTTPRequest) -> Question? {
        let fields = request.headerFields
        guard request.method == .get, fields[.contentLength] == nil, fields[.transferEncoding] == nil,
            fields[.connection].map({ $0.lowercased() == "keep-alive" }) ?? true
        else { return nil }
        let target = RequestTarget(request.path)
        if target.path == PublicRoutes.availabilityRoute { return availability(target) }
        guard target.isWithoutQuery, let id = try? PublicRoutes.productID(target.path),
            let product = storefront.catalogue.view[id]
        else { return nil }
        return Question(look: .described, products: [product])
    }

    private func availability(_ target: RequestTarget) -> Question? {
        let view = storefront.catalogue.view
        guard let ids = try? target.products() else { return nil }
        let products = ids.compactMap { view[$0] }
        return products.count == ids.count ? Question(look: .figures, products: products) : nil
    }

    /// The answer with what one round trip has brought; nil: it is for the routes after all.
    func answer(
        _ request: HTTPRequest, _ question: Question, _ result: Result<SharedReads.Reading, any Error>
    ) -> Answer? {
        var answer: Answer
        switch result {
        case .success(let reading):
            guard let reply = reading.reply(to: question) else { return nil }
            answer = reply.answer(ifNoneMatch: request.headerFields[.ifNoneMatch])
        case .failure(let error):
            answer = Problem(error).answer
        }
        answer.head.headerFields[.date] = Timestamp.httpDate()
        responder.complete(&answer.head, to: request, route: question.route, isShared: true)
        return answer
    }
}
