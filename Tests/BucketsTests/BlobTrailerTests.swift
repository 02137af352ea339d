import Bytes
import Digests
import Metadata
import Testing

@testable import Buckets

@Suite struct BlobTrailerTests {
    private static let block = BlobTrailer.blockLength

    private func read(_ bytes: [UInt8], _ size: UInt64) -> BlobTrailer? { BlobTrailer(bytes.span, size: size) }
    private func record(_ bytes: [UInt8]) -> BlobRecord? { BlobRecord(bytes.span) }

    private func trailer(of bytes: [UInt8], pieces: Int, record: [UInt8] = [1, 2, 3]) -> BlobTrailer {
        var checks = BlockChecks()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            checks.update(bytes.span.extracting(start..<min(bytes.count, start + pieces)))
        }
        checks.finish()
        return BlobTrailer(size: UInt64(bytes.count), table: checks.table, record: record)
    }

    @Test(arguments: [1, 100, block - 1, block, block + 1, 3 * block, 3 * block + 5])
    func `the table has a check value for each block, however the bytes came`(size: Int) throws {
        let bytes = pattern(size)
        let whole = trailer(of: bytes, pieces: size)
        #expect(whole.table.count == (size + Self.block - 1) / Self.block)
        #expect(
            whole.table
                == stride(from: 0, to: size, by: Self.block).map { start in
                    CRC32C.of([UInt8](bytes[start..<min(size, start + Self.block)]))
                })
        for pieces in [997, Self.block, Self.block - 1, Self.block + 1] {
            #expect(trailer(of: bytes, pieces: pieces) == whole)
        }
        let found = try #require(read(whole.bytes, UInt64(size)))
        #expect(found == whole)
        #expect(whole.bytes.count <= BlobTrailer.lengthMax(size: UInt64(size)) ?? 0)
    }

    @Test func `a trailer with any byte changed, cut short or of another size is none`() {
        let whole = trailer(of: pattern(200_000), pieces: 4096)
        let bytes = whole.bytes
        let record = whole.table.count * 4..<whole.table.count * 4 + 3
        for place in bytes.indices {
            var wrong = bytes
            wrong[place] ^= 0x10
            let found = read(wrong, 200_000)
            // The record is for salvage: the content is proved without it.
            if record.contains(place) { #expect(found?.record == []) } else { #expect(found == nil, "byte \(place)") }
            #expect(read([UInt8](bytes[..<place]), 200_000) == nil)
            #expect(read([UInt8](bytes[(place + 1)...]), 200_000) == nil)
        }
        for size: UInt64 in [0, 199_999, 200_001, .max] { #expect(read(bytes, size) == nil) }
        #expect(BlobTrailer.lengthMax(size: .max) != 0)
    }

    @Test func `what a file says of itself is read back, and fields of later versions are passed over`() throws {
        let key = try #require(ObjectKey(pattern(1024)))
        let upload = try #require(UploadID([UInt8](repeating: 0x61, count: 32)))
        let bucket = try #require(BucketName("photos".utf8))
        let labels = [
            nil, BlobLabel(bucket: bucket, key: key), BlobLabel(bucket: bucket, key: key, contentType: [0x61]),
            BlobLabel(bucket: bucket, key: key, upload: upload, partNumber: 10_000),
        ]
        for label in labels {
            let whole = BlobRecord(
                blob: BlobID(0x1234), size: .max, storeID: pattern(16), moment: Timestamp(milliseconds: -5),
                label: label)
            #expect(record(whole.bytes) == whole)
            #expect(record(whole.bytes + [200, 2, 0, 9, 9]) == whole)
            #expect(whole.bytes.count <= BlobTrailer.recordLengthMax)
            for length in 0..<whole.bytes.count {
                let cut = record([UInt8](whole.bytes[..<length]))
                #expect(cut == nil || cut?.label != label)
            }
        }
        #expect(record([]) == nil)
    }
}
