import Buckets
import Bytes
import Digests
import Metadata
import Testing

@Suite struct MultipartChecksumsTests {
    private func part(_ number: Int, _ bytes: [UInt8], _ algorithm: DigestAlgorithm? = nil) -> UploadedPart {
        UploadedPart(
            number: number, size: UInt64(bytes.count), md5: Digest.of(bytes, .md5),
            checksum: algorithm.map { PartChecksum(algorithm: $0, value: Digest.of(bytes, $0)) },
            modified: Timestamp(seconds: 0), blob: nil)
    }

    @Test func `the ETag is the MD5 of the parts' MD5s with their count`() {
        let (a, b) = (pattern(100, seed: 1), pattern(50, seed: 2))
        let etag = MultipartChecksums.etag(ofParts: [part(1, a), part(7, b)].map(\.md5))
        #expect(etag.md5 == Digest.of(Digest.of(a, .md5) + Digest.of(b, .md5), .md5))
        #expect(etag.unquoted.suffix(2).elementsEqual("-2".utf8))
        // From the shell: printf '' | md5sum | xxd -r -p | md5sum
        let empty = MultipartChecksums.etag(ofParts: [part(1, []).md5])
        #expect(String(decoding: empty.unquoted, as: UTF8.self) == "59adb24ef3cdbe0297f05b395827453f-1")
    }

    @Test func `S3-TRAPS 7 which algorithms are composite and which full object`() {
        let allowed = DigestAlgorithm.allCases.flatMap { algorithm in
            [Checksum.Kind.fullObject, .composite].filter { MultipartChecksums.isAllowed(algorithm, $0) }
                .map { "\(algorithm) \($0)" }
        }
        #expect(
            allowed == [
                "sha1 composite", "sha256 composite", "crc32 fullObject", "crc32 composite", "crc32c fullObject",
                "crc32c composite", "crc64nvme fullObject",
            ])
        for algorithm in DigestAlgorithm.allCases where algorithm != .md5 {
            #expect(MultipartChecksums.isAllowed(algorithm, MultipartChecksums.defaultKind(of: algorithm)))
        }
    }

    @Test(arguments: [DigestAlgorithm.crc32, .crc32c, .sha1, .sha256])
    func `a composite checksum is that of the parts' checksums`(algorithm: DigestAlgorithm) {
        let pieces = [pattern(100, seed: 1), pattern(0), pattern(33, seed: 3)]
        let parts = pieces.enumerated().map { part($0.offset + 1, $0.element, algorithm) }
        let checksum = MultipartChecksums.checksum(algorithm, .composite, of: parts)
        #expect(checksum?.value == Digest.of(pieces.flatMap { Digest.of($0, algorithm) }, algorithm))
        #expect(checksum?.partCount == 3)
        #expect(checksum?.kind == .composite)
    }

    @Test(arguments: [DigestAlgorithm.crc32, .crc32c, .crc64nvme])
    func `a full object checksum is that of the bytes in a row`(algorithm: DigestAlgorithm) {
        let pieces = [pattern(100_000, seed: 1), pattern(0), pattern(33, seed: 3), pattern(70_001, seed: 4)]
        let parts = pieces.enumerated().map { part($0.offset + 1, $0.element, algorithm) }
        let checksum = MultipartChecksums.checksum(algorithm, .fullObject, of: parts)
        #expect(checksum?.value == Digest.of(pieces.flatMap(\.self), algorithm))
        #expect(checksum?.partCount == nil)
    }

    @Test func `without the checksums of all parts there is none`() {
        let (with, without) = (part(1, [1], .crc32), part(2, [2]))
        #expect(MultipartChecksums.checksum(.crc32, .composite, of: [with]) != nil)
        #expect(MultipartChecksums.checksum(.crc32, .composite, of: [with, without]) == nil)
        #expect(MultipartChecksums.checksum(.crc32c, .composite, of: [with]) == nil)
        #expect(MultipartChecksums.checksum(.crc32, .fullObject, of: []) == nil)
        #expect(MultipartChecksums.checksum(.sha256, .fullObject, of: [part(1, [1], .sha256)]) == nil)
        var short = with
        short.checksum = PartChecksum(algorithm: .crc32, value: [1])
        #expect(MultipartChecksums.checksum(.crc32, .fullObject, of: [with, short]) == nil)
    }
}
