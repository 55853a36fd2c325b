/// The server at the other end of a connection.
package struct ConnectedServer: Sendable {
    /// The server's `run_id`, which changes on each start.
    package var id: String
    /// The number of this connection among those of a reader.
    package var connection: Int

    package init(id: String, connection: Int) {
        self.id = id
        self.connection = connection
    }
}
