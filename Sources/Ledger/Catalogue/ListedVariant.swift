import Domain

package struct ListedVariant: Sendable {
    package var id: Identifier
    package var name: String
    package var description: String?
    package var images: String?
    package var specs: String?

    package init(
        id: Identifier, name: String, description: String?, images: String?, specs: String?
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.images = images
        self.specs = specs
    }
}
