/// The details that a server reports about itself.
package struct GateServer: Sendable {
    /// The id of the server's process, which changes on each start. Here and below, nil means that the server does not
    /// report the value.
    package var runID: String?
    /// For example "7.2.4".
    package var version: String?
    /// The server's behaviour when its memory is full (`maxmemory-policy`), for example "noeviction".
    package var evictionPolicy: String?
    /// Whether the append-only file is enabled. Without it a restart loses the writes since the last snapshot.
    package var hasAppendOnlyFile: Bool?

    package init(
        runID: String? = nil, version: String? = nil, evictionPolicy: String? = nil, hasAppendOnlyFile: Bool? = nil
    ) {
        self.runID = runID
        self.version = version
        self.evictionPolicy = evictionPolicy
        self.hasAppendOnlyFile = hasAppendOnlyFile
    }
}
