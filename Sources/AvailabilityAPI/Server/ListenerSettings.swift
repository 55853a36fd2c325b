/// Where a server listens, and how many connections it accepts.
package struct ListenerSettings: Sendable {
    package var host: String
    /// 0 selects any free port.
    package var port: Int
    /// Maximum number of open connections; further ones wait until one is closed.
    package var connections = 10_000

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
