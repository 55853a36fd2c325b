import Hummingbird
import Domain

/// `GET /v1/products`: the product list.
struct ProductReads: Sendable {
    let reader: AvailabilityReader

    /// Products per page.
    private static let pageSizes = 1...200
    private static let defaultPageSize = 50
    /// Maximum number of products that one filtered request examines; its page may hold fewer than its limit.
    private static let searched = 5_000
    /// Products read per step of a search.
    private static let searchStep = 500

    private struct Filter: Sendable {
        var limit: Int
        var after: Identifier?
        var isAvailable: Bool?
        var category: String?
    }

    static func write(
        _ availability: [ProductAvailability], into buffer: inout ByteBuffer,
        _ write: (ProductAvailability, inout ByteBuffer) -> Void
    ) {
        buffer.writeStaticString(#""products":["#)
        for (index, product) in availability.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            write(product, &buffer)
        }
        buffer.writeStaticString("]")
    }

    // MARK: - The list

    func list(_ target: RequestTarget, _ request: Request) async throws -> Response {
        let page = try await page(try filter(target))
        return AvailabilityResponse(page.version) { buffer in
            Self.write(page.availability, into: &buffer) { $0.writeDescribed(into: &$1) }
            buffer.writeStaticString(#","next":"#)
            if let next = page.next { buffer.writeJSON(next.text) } else { buffer.writeStaticString("null") }
        }.response(to: request)
    }

    private func filter(_ target: RequestTarget) throws -> Filter {
        let values = try target.parameters(single: ["limit", "after", "available", "category"])
        var filter = Filter(limit: Self.defaultPageSize)
        if let text = values["limit"]?.first {
            guard let limit = Int(text), Self.pageSizes.contains(limit), String(limit) == text else {
                throw Problem(
                    .badRequest,
                    "limit must be an integer from \(Self.pageSizes.lowerBound) to \(Self.pageSizes.upperBound)")
            }
            filter.limit = limit
        }
        filter.after = values["after"]?.first.map { Identifier($0) }
        if let text = values["available"]?.first {
            guard let isAvailable = Bool(text) else { throw Problem(.badRequest, "available must be true or false") }
            filter.isAvailable = isAvailable
        }
        filter.category = values["category"]?.first
        return filter
    }

    private struct Page {
        var version: SnapshotVersion
        var availability: [ProductAvailability] = []
        /// The value of `after` for the next page; nil on the last one.
        var next: Identifier?
    }

    /// Products with availability, in catalogue order. Leaves out closed products and those not on sale yet.
    private func page(_ filter: Filter) async throws -> Page {
        var page: Page?
        var after = filter.after
        var searched = 0
        while true {
            let cursor = after
            let step = filter.isAvailable == nil ? filter.limit : Self.searchStep
            let (view, candidates, snapshot) = try await reader.read { view in
                try Self.candidates(view, filter, after: cursor, limit: step)
            }
            var result = page ?? Page(version: snapshot.version)
            guard snapshot.version.epoch == result.version.epoch, snapshot.version.source == result.version.source
            else {
                throw AvailabilityUnavailable(description: "the counters are being installed again")
            }
            // The page as a whole is only as recent as its oldest part.
            if snapshot.version.seq < result.version.seq { result.version = snapshot.version }
            for product in candidates {
                after = product.id
                guard let availability = snapshot[product], product.isActive else { continue }
                if let wanted = filter.isAvailable, availability.availability.product.isAvailable != wanted { continue }
                result.availability.append(availability)
                if result.availability.count == filter.limit { break }
            }
            searched += candidates.count
            let isOver = try after.map { try Self.candidates(view, filter, after: $0, limit: 1).isEmpty } ?? true
            if isOver || result.availability.count == filter.limit || searched >= Self.searched {
                result.next = isOver ? nil : after
                return result
            }
            page = result
        }
    }

    private static func candidates(
        _ view: CatalogueView, _ filter: Filter, after: Identifier?, limit: Int
    ) throws -> [ProductView] {
        var start = 0
        if let after {
            guard let position = view.position(of: after), view.products[position].isActive else {
                var problem = Problem.unknown([after])
                problem.detail = "after is not the id of a listed product; start again without it"
                throw problem
            }
            start = position + 1
        }
        var found: [ProductView] = []
        for product in view.products[start...] {
            // Closed products are at the end.
            if !product.isActive || found.count == limit { break }
            if let category = filter.category, category != product.category { continue }
            found.append(product)
        }
        return found
    }
}
