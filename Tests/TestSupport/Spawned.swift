import Foundation
import Synchronization

/// A program that has just been started, with our ends of its pipes.
struct Spawned {
    let processID: Int32
    let standardOutput: Int32
    let standardError: Int32

    /// Swift's Glibc has no pipe2: between the creation of a pipe and marking it close-on-exec, another started program
    /// would inherit it and keep it open. So programs are started one at a time.
    private static let one = Mutex(())

    static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], workingFolder: String?,
        standardInput: String
    ) throws -> Spawned {
        try one.withLock { _ in
            let input = try fileHolding(standardInput)
            defer { close(input) }
            let (output, childOutput) = try pipe()
            defer { close(childOutput) }
            let (error, childError) = try pipe()
            defer { close(childError) }
            var (program, words) = (executable, arguments)
            if let workingFolder {
                // Nor does it have posix_spawn_file_actions_addchdir_np.
                words = ["-c", "cd \"$0\" && exec \"$@\"", workingFolder, program] + words
                program = "/bin/sh"
            }
            do {
                let processID = try spawn(program, words, environment, [input, childOutput, childError])
                return Spawned(processID: processID, standardOutput: output, standardError: error)
            } catch let failure {
                close(output)
                close(error)
                throw failure
            }
        }
    }

    /// Starts a program whose standard input is a pipe and whose output is discarded.
    static func startReader(_ executable: String, _ arguments: [String]) throws -> (processID: Int32, input: Int32) {
        try one.withLock { _ in
            let (childInput, input) = try pipe()
            defer { close(childInput) }
            let nowhere = try closedOnExec(open("/dev/null", O_WRONLY))
            defer { close(nowhere) }
            do {
                let environment = ProcessInfo.processInfo.environment
                return (try spawn(executable, arguments, environment, [childInput, nowhere, nowhere]), input)
            } catch {
                close(input)
                throw error
            }
        }
    }

    /// Starts a program that leads its own process group and has default signal handlers.
    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String: String], _ descriptors: [Int32]
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // Closes the tests' connections, which the program would otherwise keep open. Descriptors that are closed in
        // the meantime do not matter.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let descriptor = Int32(name), descriptor > 2 else { continue }
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 && flags & FD_CLOEXEC == 0 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argumentPointers = ([executable] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var processID: pid_t = 0
        let failure = posix_spawnp(
            &processID, executable, &actions, &attributes, &argumentPointers, &environmentPointers)
        guard failure == 0 else { throw failed("start \(executable)", failure) }
        return processID
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw failed("make a pipe", errno) }
        return (try closedOnExec(ends[0]), try closedOnExec(ends[1]))
    }

    /// Creates an unnamed file rather than a pipe: a program that does not read can neither block nor break the test.
    private static func fileHolding(_ text: String) throws -> Int32 {
        var path = Array("/tmp/stocktake-input-XXXXXX".utf8CString)
        let descriptor = try closedOnExec(mkstemp(&path))
        unlink(path)
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        try file.write(contentsOf: Data(text.utf8))
        try file.seek(toOffset: 0)
        return descriptor
    }

    private static func closedOnExec(_ descriptor: Int32) throws -> Int32 {
        guard descriptor >= 0 else { throw failed("open a file", errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func failed(_ what: String, _ code: Int32) -> TestSupportError {
        TestSupportError("cannot \(what): \(String(cString: strerror(code)))")
    }
}
