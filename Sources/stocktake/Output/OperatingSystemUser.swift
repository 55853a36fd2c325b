import Concurrency
import Glibc
import Files

/// The user who runs the command, recorded with the changes that it makes.
enum OperatingSystemUser {
    /// The longest name that the ledger stores.
    private static let maximumBytes = 255

    /// The effective user's name, or its number if it has no usable name. The names may come from a server.
    static func name() async -> String {
        await offCooperativeThreads {
            let id = geteuid()
            var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
            var room = [CChar](repeating: 0, count: 16 << 10)
            guard getpwuid_r(id, &entry, &room, room.count, &found) == 0, let name = found?.pointee.pw_name,
                strlen(name) <= maximumBytes
            else { return "uid \(id)" }
            return String(cString: name)
        }
    }
}
