import CCrypto

/// SHA-256 (FIPS 180-4), computed by libcrypto.
package enum SHA256 {
    /// The size of a digest in bytes.
    package static let byteCount = 32

    /// Fetched once: a lookup by name takes longer than hashing a message.
    ///
    /// `nonisolated(unsafe)`: libcrypto never changes an algorithm after it was fetched, and counts references
    /// atomically.
    nonisolated(unsafe) private static let algorithm: OpaquePointer = {
        // OpenSSL's clean-up at exit assumes a single thread, but other threads of this process may still be running
        // then.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        // Only an OpenSSL configuration that disables SHA-256 can cause this; no message could be processed.
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            fatalError("libcrypto offers no SHA-256: check the configuration of OpenSSL (openssl.cnf)")
        }
        return algorithm
    }()

    /// Returns the digest of a message, 32 bytes.
    package static func digest(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            let result = EVP_Digest(message, message.count, digest.baseAddress, nil, algorithm, nil)
            if result != 1 { fatalError("libcrypto has no memory for a SHA-256 digest") }
            count = byteCount
        }
    }
}
