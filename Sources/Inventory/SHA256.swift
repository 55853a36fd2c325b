/// SHA-256 (FIPS 180-4).
///
/// Our own implementation: otherwise, for the only hash that the program needs, every build would compile a whole
/// cryptography library. It identifies content; it protects no secret.
package enum SHA256 {
    private typealias State = InlineArray<8, UInt32>

    /// The 32 bytes of the digest.
    package static func digest(_ message: [UInt8]) -> [UInt8] {
        var state: State = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        let whole = message.count / 64 * 64
        constants.withUnsafeBufferPointer { constants in
            message.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: whole, by: 64) {
                    compress(&state, UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64]), constants)
                }
                // The rest, a 1 bit, zeros, and the length in bits, to whole blocks.
                let rest = message.count - whole
                withUnsafeTemporaryAllocation(byteCount: rest < 56 ? 64 : 128, alignment: 8) { tail in
                    tail.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[whole...]))
                    tail[rest] = 0x80
                    for index in rest + 1..<tail.count { tail[index] = 0 }
                    let bits = UInt64(message.count) * 8
                    tail.storeBytes(of: bits.bigEndian, toByteOffset: tail.count - 8, as: UInt64.self)
                    for start in stride(from: 0, to: tail.count, by: 64) {
                        compress(&state, UnsafeRawBufferPointer(rebasing: tail[start..<start + 64]), constants)
                    }
                }
            }
        }
        return [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            for index in 0..<32 {
                digest[index] = UInt8(truncatingIfNeeded: state[index / 4] >> UInt32(24 - index % 4 * 8))
            }
            count = 32
        }
    }

    /// - Parameters:
    ///   - block: 64 bytes.
    ///   - constants: 64.
    private static func compress(
        _ state: inout State, _ block: UnsafeRawBufferPointer, _ constants: UnsafeBufferPointer<UInt32>
    ) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for t in 0..<16 { w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self)) }
            for t in 16..<64 {
                let s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3)
                let s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10)
                w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for t in 0..<64 {
                let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
                let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[t] &+ w[t]
                let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
                let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
            }
            state[0] &+= a
            state[1] &+= b
            state[2] &+= c
            state[3] &+= d
            state[4] &+= e
            state[5] &+= f
            state[6] &+= g
            state[7] &+= h
        }
    }

    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word >> bits | word << (32 - bits)
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = {
        var primes: [Int] = []
        var candidate = 2
        while primes.count < 64 {
            if !primes.contains(where: { candidate % $0 == 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map(fractionOfCubeRoot)
    }()

    /// floor(2^32 · (cube root of n − its integer part)), by bisection in integers: no floating point to be off by one.
    private static func fractionOfCubeRoot(_ n: Int) -> UInt32 {
        // The largest x with x^3 <= n · 2^96; x = floor(cube root · 2^32).
        let (high, low) = (UInt64(n) << 32, UInt64(0))
        let limit = UInt128(high) << 64 | UInt128(low)
        var (below, above): (UInt128, UInt128) = (0, 1 << 36)
        while above - below > 1 {
            let middle = (below + above) / 2
            if middle * middle * middle <= limit { below = middle } else { above = middle }
        }
        return UInt32(truncatingIfNeeded: below)
    }
}

extension [UInt8] {
    /// As digests are written: two hexadecimal digits per byte.
    package var hex: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
