/// What one line of a message is about: a product, or a variant of it.
package struct Article: Sendable, Hashable, Comparable {
    package var productID: Identifier
    package var variantID: Identifier?

    package init(_ productID: Identifier, _ variantID: Identifier? = nil) {
        self.productID = productID
        self.variantID = variantID
    }

    /// The counters that count it, product before variant.
    package var counters: [CounterName] {
        variantID.map { [.product(productID), .variant($0)] } ?? [.product(productID)]
    }

    package static func < (left: Article, right: Article) -> Bool {
        if left.productID != right.productID { return left.productID < right.productID }
        guard let leftVariant = left.variantID else { return right.variantID != nil }
        guard let rightVariant = right.variantID else { return false }
        return leftVariant < rightVariant
    }
}

/// So many units of an article.
package struct ArticleUnits: Sendable, Equatable {
    package var article: Article
    package var units: Int64

    package init(_ article: Article, _ units: Int64) {
        self.article = article
        self.units = units
    }
}

extension Sequence<ArticleUnits> {
    /// The same with each article once, its units summed, in the order in which the articles are first named.
    package var summed: [ArticleUnits] {
        var sums: [ArticleUnits] = []
        var position: [Article: Int] = [:]
        for line in self {
            if let at = position[line.article] {
                sums[at].units += line.units
            } else {
                position[line.article] = sums.count
                sums.append(line)
            }
        }
        return sums
    }
}
