/// Identifies a stream entry by its id and its content: a Redis that has lost the end of the stream may assign an id
/// again.
package struct EntryIdentity: Sendable, Hashable {
    package var entryID: String
    /// The digest of the entry's fields.
    package var fingerprint: [UInt8]

    package init(entryID: String, fingerprint: [UInt8]) {
        self.entryID = entryID
        self.fingerprint = fingerprint
    }
}
