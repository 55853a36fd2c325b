/// One option of a product, for example a colour. Its id is unique in the store.
package struct Variant: Sendable, Equatable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var stripeProductID: String?
    /// The maximum number of units that may be sold; nil = as many as the product allows.
    package var cap: Int64?
    /// JSON texts, kept as the file has them.
    package var images: String?
    package var specs: String?
    package var metadata: String?

    package init(
        id: Identifier, name: String, description: String? = nil, stripeProductID: String? = nil,
        cap: Int64? = nil, images: String? = nil, specs: String? = nil, metadata: String? = nil
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.stripeProductID = stripeProductID
        self.cap = cap
        self.images = images
        self.specs = specs
        self.metadata = metadata
    }
}
