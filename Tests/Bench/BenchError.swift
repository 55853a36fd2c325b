/// Why a value cannot be measured: *what failed: on what: why. What to do.*
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
