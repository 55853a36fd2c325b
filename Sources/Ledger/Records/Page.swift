/// A page of a list, and the cursor of the next one.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    /// For `after` of the next call; nil: this is the last page.
    package var next: String?

    package init(elements: [Element], next: String?) {
        self.elements = elements
        self.next = next
    }
}
