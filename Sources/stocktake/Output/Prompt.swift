import Glibc

/// Prints the error and throws `Exit.no`.
func refuse(_ error: any Error) throws -> Never {
    printError("\(error)")
    throw Exit.no
}

/// Asks for confirmation on a terminal; returns false if standard input is not one.
func confirm(_ question: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
        printError("Standard input is not a terminal. Confirm with --yes.")
        return false
    }
    StandardOutput.write(question.printable + " [y/N] ")
    // Reads no answer if the question could not be shown.
    guard StandardOutput.reason == nil else { return false }
    return ["y", "yes"].contains(readLine()?.lowercased())
}
