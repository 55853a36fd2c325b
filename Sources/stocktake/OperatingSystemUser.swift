import Concurrency
import Glibc
import Files

/// Who runs the command: kept with what it changes.
enum OperatingSystemUser {
    /// What the ledger keeps of a name.
    private static let maximumBytes = 255

    /// Its name; where it has none its number. The names may come from a server.
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
