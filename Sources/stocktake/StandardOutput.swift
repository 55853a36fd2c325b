import Glibc
import Synchronization

/// Standard output of a command.
///
/// A write that fails does not end the command half-way: what it was asked to do is done all the same. The first
/// failure is kept, nothing more is written, and the exit code is that of an answer that did not arrive.
enum StandardOutput {
    private static let failure = Mutex(Int32?.none)

    /// Why a write has failed, as errno has it; nil: all was written.
    static var reason: Int32? { failure.withLock { $0 } }

    /// Writes `text` as it is: for sequences that steer a terminal, and what has been escaped already.
    static func write(_ text: String) {
        failure.withLock { failure in
            if failure == nil { failure = writeAll(Array(text.utf8), to: STDOUT_FILENO) }
        }
    }

    /// Ends the process with `code`, or with 2 where `code` would claim that all output was written.
    static func leave(_ code: Int32) -> Never {
        guard let reason, code < Exit.couldNotTell.code else { exit(code) }
        // A reader that has closed the pipe knows.
        if reason != EPIPE {
            printError(
                "writing the output failed: on standard output: \(String(cString: strerror(reason))). The command has ended as it should; what it printed is incomplete."
            )
        }
        exit(Exit.couldNotTell.code)
    }

    /// Has a write to a pipe that is closed fail, and one to a descriptor that is not open, too: a file or a connection
    /// would otherwise get its number, and what is printed.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Writes all bytes, waiting for room where there is none.
/// - Returns: nil, or why it cannot be done, as errno has it.
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
