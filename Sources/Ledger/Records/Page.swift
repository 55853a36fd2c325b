/// A page of a list, and the cursor of the next page.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    /// The value to pass as `after` in the next call; `nil` if this is the last page.
    package var next: String?

    package init(elements: [Element], next: String?) {
        self.elements = elements
        self.next = next
    }
}
