import CCrypto

/// SHA-256 (FIPS 180-4), computed by libcrypto.
package enum SHA256 {
    /// The bytes of a digest.
    package static let byteCount = 32

    /// Fetched once: a look-up by name takes longer than hashing a message.
    ///
    /// `nonisolated(unsafe)`: libcrypto never changes an algorithm after it was fetched, and counts references
    /// atomically.
    nonisolated(unsafe) private static let algorithm: OpaquePointer = {
        // Only a configuration of OpenSSL that switches SHA-256 off can cause this; no message could be processed.
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            fatalError("libcrypto offers no SHA-256: check the configuration of OpenSSL (openssl.cnf)")
        }
        return algorithm
    }()

    /// - Returns: 32 bytes.
    package static func digest(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            let result = EVP_Digest(message, message.count, digest.baseAddress, nil, algorithm, nil)
            precondition(result == 1, "libcrypto has no memory for a SHA-256 digest")
            count = byteCount
        }
    }
}
