import Bytes
import CDigests
import Digests
import Testing

@Suite struct CRCTests {
    @Test func `the published check values of 123456789 come out`() {
        let text = [UInt8]("123456789".utf8)
        #expect(Hex.string(Digest.of(text, .crc32)) == "cbf43926")
        #expect(Hex.string(Digest.of(text, .crc32c)) == "e3069283")
        #expect(Hex.string(Digest.of(text, .crc64nvme)) == "ae8b14860a799888")
    }

    @Test func `nothing has the value zero`() {
        #expect(Digest.of([], .crc32) == [0, 0, 0, 0])
        #expect(Digest.of([], .crc32c) == [0, 0, 0, 0])
        #expect(Digest.of([], .crc64nvme) == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// RFC 3720, appendix B.4.
    @Test func `the iSCSI examples of CRC32C come out`() {
        #expect(Hex.string(Digest.of([UInt8](repeating: 0, count: 32), .crc32c)) == "8a9136aa")
        #expect(Hex.string(Digest.of([UInt8](repeating: 0xFF, count: 32), .crc32c)) == "62a8ab43")
        #expect(Hex.string(Digest.of([UInt8](0..<32), .crc32c)) == "46dd794e")
    }

    @Test func `the processor's instructions and the portable tables agree at every length and alignment`() {
        let bytes = pseudorandom(count: 5000, seed: 7)
        for count in Array(0...600) + [1023, 1024, 4096, 4900] {
            for start in [0, 1, 7, 15] {
                let part = [UInt8](bytes[start..<min(start + count, bytes.count)])
                #expect(unsafe cdigests_crc32(9, part, part.count) == cdigests_crc32_portable(9, part, part.count))
                #expect(unsafe cdigests_crc32c(9, part, part.count) == cdigests_crc32c_portable(9, part, part.count))
                let fast = unsafe cdigests_crc64nvme(9, part, part.count)
                #expect(unsafe fast == cdigests_crc64nvme_portable(9, part, part.count))
            }
        }
    }

    /// Division bit by bit, straight from the definition: it shares nothing with the tables.
    @Test func `the portable tables agree with long division`() {
        let bytes = pseudorandom(count: 100, seed: 11)
        func divide(_ polynomial: UInt64, width: Int) -> UInt64 {
            let ones: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
            var register = ones
            for byte in bytes {
                register ^= UInt64(byte)
                for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ polynomial : register >> 1 }
            }
            return register ^ ones
        }
        #expect(unsafe UInt64(cdigests_crc32_portable(0, bytes, 100)) == divide(0xEDB8_8320, width: 32))
        #expect(unsafe UInt64(cdigests_crc32c_portable(0, bytes, 100)) == divide(0x82F6_3B78, width: 32))
        #expect(unsafe cdigests_crc64nvme_portable(0, bytes, 100) == divide(0x9A6C_9329_AC4B_C9B5, width: 64))
    }

    @Test(arguments: [DigestAlgorithm.crc32, .crc32c, .crc64nvme])
    func `combining two parts gives the value of the whole`(_ algorithm: DigestAlgorithm) throws {
        let bytes = pseudorandom(count: 3000, seed: 3)
        for cut in [0, 1, 2, 500, 2999, 3000] {
            let first = Digest.of([UInt8](bytes[..<cut]), algorithm)
            let second = Digest.of([UInt8](bytes[cut...]), algorithm)
            let combined = DigestValues.combine(algorithm, first, second, secondLength: UInt64(3000 - cut))
            #expect(combined == Digest.of(bytes, algorithm), "cut at \(cut)")
        }
    }

    @Test func `hashes cannot be combined, nor values of the wrong length`() {
        let hash = Digest.sha256([1])
        #expect(DigestValues.combine(.sha256, hash, hash, secondLength: 1) == nil)
        #expect(DigestValues.combine(.crc32, [1, 2, 3], [1, 2, 3, 4], secondLength: 1) == nil)
    }

    @Test func `combining works for lengths beyond 2 to the 61`() {
        // A zero value shifted by any length stays zero, and shifts add up.
        let once = CRC64NVME.combine(1, 0, secondLength: 1 << 62)
        let twice = CRC64NVME.combine(once, 0, secondLength: 1 << 62)
        #expect(twice == CRC64NVME.combine(1, 0, secondLength: 1 << 63))
        #expect(CRC32.combine(0, 5, secondLength: .max) == 5)
    }
}

func pseudorandom(count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 40)
    }
}
