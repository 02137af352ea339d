import Bytes
import Digests
import Testing

@testable import Metadata

@Suite struct RecordTests {
    private func version(content: Content) -> ObjectVersion {
        var attributes = ObjectAttributes()
        attributes.contentType = [1, 2]
        attributes.cacheControl = []
        attributes.contentDisposition = [3]
        attributes.contentEncoding = [4]
        attributes.contentLanguage = [5]
        attributes.expires = [6]
        attributes.websiteRedirect = [7]
        attributes.storageClass = [8]
        attributes.userMetadata = [UserMetadata(name: [9], value: []), UserMetadata(name: [10], value: [11])]
        return ObjectVersion(
            key: .of("key"), versionID: .id([UInt8](repeating: 0x61, count: 32)), isLatest: true, isDeleteMarker: false,
            modified: Timestamp(milliseconds: -1), sequence: Int64.max, owner: "ålice", size: UInt64.max,
            etag: ETag(md5: .md5(3), partCount: 10_000), attributes: attributes,
            checksum: Checksum(algorithm: .sha1, kind: .composite, value: .md5(1), partCount: 2),
            tags: [Tag(key: [1], value: [2]), Tag(key: [], value: [])], content: content)
    }

    private var contents: [Content] {
        [
            .empty, .blob(BlobID(UInt64.max)), .parts([]),
            .parts([
                StoredPart(number: 1, blob: BlobID(0), size: 0, checksum: nil),
                StoredPart(number: 10_000, blob: nil, size: UInt64.max, checksum: [1, 2, 3, 4]),
            ]),
        ]
    }

    @Test func `a version is decoded as it was encoded`() throws {
        for content in contents {
            let version = version(content: content)
            #expect(try Records.version(Records.encode(version)) == version)
        }
    }

    @Test func `a record cut short anywhere, or followed by a byte, is broken`() throws {
        let record = Records.encode(version(content: .blob(BlobID(300))))
        for length in 0..<record.count {
            #expect(throws: MetadataError.self) { _ = try Records.version(Array(record[..<length])) }
        }
        #expect(throws: MetadataError.self) { _ = try Records.version(record + [0]) }
    }

    @Test func `damaged records end in a value or an error`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(state: seed)
        var refused = 0
        for _ in 0..<1_000 {
            var record = Records.encode(version(content: contents.randomElement(using: &random) ?? .empty))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                record[Int.random(in: 0..<record.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do { _ = try Records.version(record) } catch { refused += 1 }
            do { _ = try Records.attributes(record) } catch { refused += 1 }
            do { _ = try Records.parts(record) } catch { refused += 1 }
            do { _ = try Records.tags(record) } catch { refused += 1 }
        }
        #expect(refused > 0, "seed \(seed)")
    }

    @Test func `numbers take seven bits a byte and no more than 64 in all`() throws {
        for number in [0, 1, 127, 128, 300, UInt64(Int64.max), UInt64.max] {
            var writer = RecordWriter()
            writer.put(number)
            var reader = RecordReader(writer.bytes)
            #expect(try reader.number() == number)
            try reader.end()
        }
        var high = RecordReader([UInt8](repeating: 0xFF, count: 9) + [2])
        #expect(throws: MetadataError.self) { _ = try high.number() }
        var long = RecordReader([UInt8](repeating: 0x80, count: 20))
        #expect(throws: MetadataError.self) { _ = try long.number() }
        var huge = RecordReader([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1])
        #expect(throws: MetadataError.self) { _ = try huge.field() }
    }

    @Test func `attributes and tags that are not there take no bytes`() throws {
        #expect(Records.encode(ObjectAttributes()) == nil)
        #expect(Records.encode([Tag]()) == nil)
        #expect(try Records.attributes(nil) == ObjectAttributes())
    }
}
