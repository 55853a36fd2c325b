import NIOCore
import Testing

@testable import AvailabilityAPI

@Suite("The fingerprint of a response")
struct AvailabilityResponseTests {
    private static func fingerprint(_ bytes: [UInt8]) -> UInt64 {
        AvailabilityResponse.fingerprint(ByteBuffer(bytes: bytes).readableBytesView)
    }

    @Test("is the same in every process, and differs if any bit changes", arguments: [1, 7, 8, 9, 64, 100])
    func bits(length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: 31 * $0) }
        var seen: Set = [Self.fingerprint(bytes)]
        #expect(seen == [Self.fingerprint(bytes)])
        for bit in 0..<(8 * length) {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(seen.insert(Self.fingerprint(changed)).inserted, "bit \(bit)")
        }
        // Two swapped words.
        if length >= 16 {
            let swapped = Array(bytes[8..<16] + bytes[0..<8] + bytes[16...])
            #expect(seen.insert(Self.fingerprint(swapped)).inserted)
        }
        #expect(seen.insert(Self.fingerprint(bytes + [0])).inserted)
    }
}
