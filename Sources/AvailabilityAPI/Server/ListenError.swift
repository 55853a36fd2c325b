/// A server could not listen on its address.
package struct ListenError: Error, CustomStringConvertible {
    var name: String
    var host: String
    var port: Int
    var reason: String

    package var description: String {
        """
        listening failed: on \(host):\(port): \(reason). \
        Give another address with --\(name)-host and --\(name)-port (0 = any free port).
        """
    }
}
