import Glibc
import Synchronization

/// The standard output of a command.
///
/// A failed write does not abort the command half-way: its work is completed. The first failure is kept, nothing more
/// is written, and the exit code becomes 2.
enum StandardOutput {
    private static let failure = Mutex(Int32?.none)

    /// The `errno` of the first failed write; nil if everything was written.
    static var reason: Int32? { failure.withLock { $0 } }

    /// Writes `text` unescaped: for terminal control sequences, and for text that is already escaped.
    static func write(_ text: String) {
        failure.withLock { failure in
            if failure == nil { failure = writeAll(Array(text.utf8), to: STDOUT_FILENO) }
        }
    }

    /// Exits with `code`, or with 2 if output is missing and `code` would hide that.
    static func leave(_ code: Int32) -> Never {
        guard let reason, code < Exit.couldNotTell.code else { exit(code) }
        // A reader that has closed the pipe needs no message.
        if reason != EPIPE {
            printError(
                "writing the output failed: on standard output: \(String(cString: strerror(reason))). The command has completed its work; its output is incomplete."
            )
        }
        exit(Exit.couldNotTell.code)
    }

    /// Makes writes to a closed pipe fail, and also writes to a closed descriptor: otherwise a file or connection would
    /// get its number and receive what is printed.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Writes all bytes, blocking while there is no room.
/// - Returns: the `errno` of a failure; nil if everything was written.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    bytes.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
            let count = write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}
