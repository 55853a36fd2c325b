import Glibc

/// Says why, and leaves with the answer no.
func refuse(_ error: any Error) throws -> Never {
    printError("\(error)")
    throw Exit.no
}

/// Asks on a terminal; anywhere else the answer is no.
func confirm(_ question: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
        printError("Standard input is no terminal: say --yes.")
        return false
    }
    StandardOutput.write(question.printable + " [y/N] ")
    // The question was not shown, so no answer to it is read.
    guard StandardOutput.reason == nil else { return false }
    return ["y", "yes"].contains(readLine()?.lowercased())
}
