/// The input of one round of a fuzz test, with everything needed to reproduce it.
package struct FuzzCase: Sendable, CustomStringConvertible {
    package let bytes: [UInt8]
    package let seed: UInt64

    package init(bytes: [UInt8], seed: UInt64) {
        self.bytes = bytes
        self.seed = seed
    }

    /// The text of a failure: the seed that replays it, and the input in the format of a corpus file.
    package var description: String { "seed \(seed); for the corpus: \(Corpus.text(of: bytes))" }
}
