/// The input of one round of a fuzz test, with what is needed to see it again.
package struct FuzzCase: Sendable, CustomStringConvertible {
    package let bytes: [UInt8]
    package let seed: UInt64

    package init(bytes: [UInt8], seed: UInt64) {
        self.bytes = bytes
        self.seed = seed
    }

    /// What a failure says: the seed to replay it with, and the input as a corpus file has it.
    package var description: String { "seed \(seed); for the corpus: \(Corpus.text(of: bytes))" }
}
