/// A product, as the catalogue file describes it.
package struct Product: Sendable, Equatable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var longDescription: String?
    package var category: String
    /// From 0 (idea) to 5 (for sale).
    package var devStatus: Int
    /// In minor units, above 0.
    package var basePrice: Int64
    package var stripeProductID: String?
    package var requiresAssembly: Bool
    /// The maximum number of units that may be sold, all variants together; nil = unlimited.
    package var cap: Int64?
    /// JSON texts, kept as the file has them; nil if the file has none.
    package var images: String?
    package var specs: String?
    package var metadata: String?
    /// Empty for a product without variants.
    package var variants: [Variant]

    package var hasVariants: Bool { !variants.isEmpty }

    package init(
        id: Identifier, name: String, description: String? = nil, longDescription: String? = nil, category: String,
        devStatus: Int, basePrice: Int64, stripeProductID: String? = nil, requiresAssembly: Bool = false,
        cap: Int64? = nil, images: String? = nil, specs: String? = nil, metadata: String? = nil,
        variants: [Variant] = []
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.longDescription = longDescription
        self.category = category
        self.devStatus = devStatus
        self.basePrice = basePrice
        self.stripeProductID = stripeProductID
        self.requiresAssembly = requiresAssembly
        self.cap = cap
        self.images = images
        self.specs = specs
        self.metadata = metadata
        self.variants = variants
    }
}
