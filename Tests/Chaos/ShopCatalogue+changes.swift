import Randomness

extension ShopCatalogue {
    /// The raw values appear in the report.
    enum Change: String, CaseIterable, Sendable {
        case cap = "cap changes"
        case productComes = "product comes"
        case productCloses = "product closes"
        case productReopens = "product opens again"
        case variantComes = "variant comes"
        case variantCloses = "variant closes"
        case variantReopens = "variant opens again"
        case getsVariants = "product gets variants"
        case losesVariants = "product loses its variants"
    }

    /// The number of products that may be closed, or have closed variants, at a time: most orders must be for open
    /// ones.
    private static let most = 2

    /// Makes one to three changes.
    /// - Parameters:
    ///   - sold: Units of each product and variant.
    ///   - done: The number of changes of each kind so far: a rare kind is more likely.
    ///   - without: Kinds that are left out.
    /// - Returns: A description of the changes.
    mutating func change(
        sold: [String: Int], done: [String: Int], without: Set<String>, using generator: inout SeededGenerator
    ) -> [Change] {
        var changes: [Change] = []
        let before = self
        for _ in 0...Int.random(in: 0...2, using: &generator) {
            let possible = Change.allCases.filter {
                $0 != .cap && !without.contains($0.rawValue) && !places(for: $0).isEmpty
            }
            let rarest = possible.shuffled(using: &generator).min {
                done[$0.rawValue, default: 0] < done[$1.rawValue, default: 0]
            }
            let any = generator.chance(80) ? rarest : possible.randomElement(using: &generator)
            let change = generator.chance(30) ? .cap : any ?? .cap
            if make(change, sold: sold, using: &generator) { changes.append(change) }
        }
        forgetChanges(ofClosedSince: before)
        return changes
    }

    /// Closed products are not in the file: the ledger keeps their previous state, or never knew them.
    private mutating func forgetChanges(ofClosedSince before: ShopCatalogue) {
        let known = Set(before.counters)
        shelves.removeAll { !$0.isOpen && !known.contains($0.product) }
        for index in shelves.indices {
            shelves[index].variants.removeAll { !$0.isOpen && !known.contains($0.id) }
            for variant in shelves[index].variants where !variant.isOpen { caps[variant.id] = before.caps[variant.id] }
            guard !shelves[index].isOpen, let shelf = before.shelf(of: shelves[index].product) else { continue }
            shelves[index].hasVariants = shelf.hasVariants
            caps[shelf.product] = before.caps[shelf.product]
        }
    }

    /// The places where a change can be made: indices of shelves.
    private func places(for change: Change) -> [Int] {
        let isEnough: Bool =
            switch change {
            case .productCloses: shelves.count { !$0.isOpen } >= Self.most
            case .variantCloses:
                shelves.count { $0.isOpen && $0.hasVariants && $0.variants.contains { !$0.isOpen } } >= Self.most
            default: false
            }
        if isEnough { return [] }
        return shelves.indices.filter { index in
            let shelf = shelves[index]
            let item = Self.item(shelf.product)
            if shelf.product == Assortment.plenty { return false }
            return switch change {
            case .cap: true
            case .productComes: index == 0 && shelves.count < Assortment.first.count + Assortment.later.count
            case .productCloses: shelf.isOpen && !Self.isSafe(shelf)
            case .productReopens: !shelf.isOpen
            case .variantComes:
                shelf.isOpen && shelf.hasVariants && shelf.variants.count < item.variants.count + item.more.count
            case .variantCloses: shelf.isOpen && shelf.hasVariants && shelf.variants.count(where: \.isOpen) > 1
            case .variantReopens: shelf.isOpen && shelf.hasVariants && shelf.variants.contains { !$0.isOpen }
            case .getsVariants: shelf.isOpen && !shelf.hasVariants && !(item.variants + item.more).isEmpty
            case .losesVariants: shelf.isOpen && shelf.hasVariants && !Self.isSafe(shelf)
            }
        }
    }

    private static func isSafe(_ shelf: Shelf) -> Bool { [Assortment.mainstay, "RARE"].contains(shelf.product) }

    private static func item(_ product: String) -> Assortment.Item {
        (Assortment.first + Assortment.later).first { $0.product == product }
            ?? Assortment.Item(product: product, variants: [], more: [])
    }

    /// - Returns: False if there is no place for it.
    private mutating func make(_ change: Change, sold: [String: Int], using generator: inout SeededGenerator) -> Bool {
        guard let index = places(for: change).randomElement(using: &generator) else { return false }
        switch change {
        case .cap: changeCap(sold: sold, using: &generator)
        case .productComes:
            guard let item = Assortment.later.first(where: { shelf(of: $0.product) == nil }) else { return false }
            shelves.append(
                Shelf(
                    product: item.product, hasVariants: !item.variants.isEmpty,
                    variants: item.variants.map { Variant(id: $0) }))
            if generator.chance(70) { caps[item.product] = Int.random(in: 1...40, using: &generator) }
        case .productCloses:
            shelves[index].isOpen = false
            for variant in shelves[index].variants.indices { shelves[index].variants[variant].isOpen = false }
        case .productReopens:
            shelves[index].isOpen = true
            if shelves[index].hasVariants { openVariants(of: index, using: &generator) }
        case .variantComes:
            guard let id = addVariant(to: index) else { return false }
            if generator.chance(70) { caps[id] = Int.random(in: 1...40, using: &generator) }
        case .variantCloses, .variantReopens:
            let candidates = shelves[index].variants.indices.filter {
                shelves[index].variants[$0].isOpen == (change == .variantCloses)
            }
            guard let variant = candidates.randomElement(using: &generator) else { return false }
            shelves[index].variants[variant].isOpen.toggle()
        case .getsVariants:
            shelves[index].hasVariants = true
            _ = addVariant(to: index)
            openVariants(of: index, using: &generator)
        case .losesVariants:
            shelves[index].hasVariants = false
            for variant in shelves[index].variants.indices { shelves[index].variants[variant].isOpen = false }
        }
        return true
    }

    /// Sets another cap, or none.
    private mutating func changeCap(sold: [String: Int], using generator: inout SeededGenerator) {
        let open = shelves.filter { $0.isOpen && $0.product != Assortment.plenty }
            .flatMap { [$0.product] + $0.variants.filter(\.isOpen).map(\.id) }
        guard let id = open.randomElement(using: &generator) else { return }
        if generator.chance(15) {
            caps[id] = nil
        } else {
            // Usually higher, sometimes below what has been sold already.
            caps[id] = max((sold[id] ?? 0) + Int.random(in: -15...300, using: &generator), 1)
        }
    }

    /// The next variant that the product may get; `nil` if it has them all.
    private mutating func addVariant(to index: Int) -> String? {
        let item = Self.item(shelves[index].product)
        let next = (item.variants + item.more).first { id in !shelves[index].variants.contains { $0.id == id } }
        if let next { shelves[index].variants.append(Variant(id: next)) }
        return next
    }

    /// Some of them, at least one.
    private mutating func openVariants(of index: Int, using generator: inout SeededGenerator) {
        for variant in shelves[index].variants.indices where generator.chance(70) {
            shelves[index].variants[variant].isOpen = true
        }
        if !shelves[index].variants.contains(where: \.isOpen), !shelves[index].variants.isEmpty {
            shelves[index].variants[0].isOpen = true
        }
    }
}
