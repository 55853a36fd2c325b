import Cryptography
import Foundation
import Domain
import RedisClient
import TestSupport
import Testing
import TextEncodings

/// Entries of any size that Redis can hold: none of them blocks other messages or exhausts memory or disk.
@Suite(.serialized) struct OversizedEntryTests {
    private func add(_ bytes: Int, to shop: Shop, _ name: String = "payload") async throws {
        let client = shop.redis.client()
        var command = RedisCommand("XADD", capacity: bytes)
        command.append(contentsOf: [shop.keys.checkouts, "*", "type", "checkout.completed", name])
        command.append([UInt8](repeating: 120, count: bytes))
        _ = try await client.send(command, timeout: .seconds(60))
        await client.close()
    }

    /// The peak memory of a process, in bytes.
    private func peakMemory(_ process: ChildProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.processID)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }

    @Test("An entry larger than a read may be becomes a dead letter by its id, with what Redis says about it")
    func unread() async throws {
        let shop = try await Shop()
        let orders = Array(SequentialModel.rush.prefix(6))
        try await shop.publish(orders.prefix(3).map(\.message))
        try await add(40 << 20, to: shop)
        try await add(200 << 20, to: shop)
        try await shop.publish(orders.suffix(3).map(\.message))
        let consumer = try await shop.startConsumer()
        try await shop.waitForOrders(6, within: .seconds(60))
        try await eventually("everything to be acknowledged") { try await shop.pending() == 0 }
        // Neither entry was ever entirely in memory.
        #expect(try peakMemory(consumer) < 200 << 20)
        #expect(try await consumer.stop() == .exited(0))
        let letters = try shop.query("SELECT reason, detail, is_whole, bytes FROM dead_letters ORDER BY id")
        #expect(letters.map { $0[0] } == ["entry_not_read", "entry_not_read"])
        #expect(letters.map { $0[2] } == ["0", "0"] && letters.map { $0[3] } == ["0", "0"])
        // Together they exceed what Redis is asked to load.
        #expect(letters.allSatisfy { $0[1].contains("larger than a read may be") })
        let shown = try await shop.succeed("dead-letters", "show", "1")
        #expect(shown.contains("nothing: it was not read"), "\(shown)")
        let replay = try await shop.run(["dead-letters", "replay", "1"])
        #expect(replay.status == 1 && replay.errors.contains("too large to be kept whole"), "\(replay.errors)")
        try await shop.expectResult(of: orders)
    }

    @Test("Its length and a digest are recorded where Redis can afford to inspect it")
    func inspected() async throws {
        let shop = try await Shop()
        try await add(33 << 20, to: shop)
        try await shop.publish([SequentialModel.rush[0].message])
        try await shop.consumeAll()
        let detail = try shop.value("SELECT detail FROM dead_letters")
        let size = 33 << 20 + 29  // the names and the type
        #expect(detail.contains("it has \(size) bytes in 2 fields"), "\(detail)")
        #expect(detail.contains("SHA-1 of its payload "), "\(detail)")
        try await shop.expectResult(of: [SequentialModel.rush[0]])
    }

    @Test("Of oversized payloads the head, the length and a digest are kept; the ledger stays small")
    func heads() async throws {
        let shop = try await Shop()
        let size = 3 << 20
        for _ in 1...10 { try await add(size, to: shop) }
        try await add(size, to: shop, "other")
        try await shop.publish([SequentialModel.rush[0].message])
        try await shop.consumeAll()
        let letters = try shop.query(
            "SELECT reason, length(payload), bytes, length(fields), hex(payload_digest) FROM dead_letters ORDER BY id")
        let digest = SHA256.digest([UInt8](repeating: 120, count: size)).hex.uppercased()
        #expect(letters.count == 11)
        for letter in letters.dropLast() {
            #expect(letter == ["payload_too_large", "65536", "\(size + 29)", "NULL", digest])
        }
        #expect(letters.last?.prefix(4) == ["missing_payload", "NULL", "\(size + 27)", "65536"])
        #expect(try shop.value("SELECT dead_letter_bytes FROM ledger") == "\(11 * 65_536 + 11 * 18)")
        let bytes = try FileManager.default.attributesOfItem(atPath: shop.ledger)[.size] as? Int
        #expect(bytes ?? 0 < 2 << 20)
        let shown = try await shop.succeed("dead-letters", "show", "1")
        #expect(
            shown.contains("65,554 bytes of 3,145,757") && shown.contains(digest.lowercased()), "\(shown.prefix(900))")
        let doctor = try await shop.run(["doctor"])
        #expect(doctor.output.contains("704.1 KiB of content"), "\(doctor.output)")
        try await shop.expectResult(of: [SequentialModel.rush[0]])
    }
}
