import Domain

package struct ListedProduct: Sendable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var longDescription: String?
    package var category: String
    package var devStatus: Int
    /// Minor units.
    package var basePrice: Int64
    package var requiresAssembly: Bool
    /// JSON text: an array of strings for `images`, an array of objects for `specs`.
    package var images: String?
    package var specs: String?
    package var isActive: Bool
    package var variants: [ListedVariant]

    package init(
        id: Identifier, name: String, description: String?, longDescription: String?, category: String,
        devStatus: Int, basePrice: Int64, requiresAssembly: Bool, images: String?, specs: String?,
        isActive: Bool, variants: [ListedVariant]
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.longDescription = longDescription
        self.category = category
        self.devStatus = devStatus
        self.basePrice = basePrice
        self.requiresAssembly = requiresAssembly
        self.images = images
        self.specs = specs
        self.isActive = isActive
        self.variants = variants
    }
}
