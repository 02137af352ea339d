import Bytes
import Digests
import Metadata
import Testing

extension ContractCase {
    static let versions = [
        ContractCase("a published version is read back as it was given") { subject in
            let bucket = try await subject.bucket()
            var attributes = ObjectAttributes()
            attributes.contentType = [UInt8]("image/png".utf8)
            attributes.contentEncoding = []
            attributes.expires = [UInt8]("never".utf8)
            attributes.storageClass = [UInt8]("STANDARD_IA".utf8)
            attributes.userMetadata = [
                UserMetadata(name: [UInt8]("b".utf8), value: [0xFF, 0]), UserMetadata(name: [0x61], value: []),
            ]
            let checksum = Checksum(algorithm: .crc32c, kind: .composite, value: [1, 2, 3, 4], partCount: 7)
            let tags = [Tag(key: [UInt8]("k".utf8), value: []), Tag(key: [UInt8]("a".utf8), value: [1])]
            let made = try await subject.put(
                "a/b", in: bucket, blob: UInt64.max, size: UInt64.max, tags: tags, attributes: attributes,
                checksum: checksum)
            let read = try #require(try await subject.get("a/b", in: bucket))
            #expect(read == made)
            #expect(read.attributes == attributes)
            #expect(read.checksum == checksum)
            #expect(read.tags == tags)
            #expect(read.content == .blob(BlobID(UInt64.max)))
            #expect(read.size == UInt64.max)
            #expect(read.versionID == .null && read.isLatest && !read.isDeleteMarker)
        },
        ContractCase("keys are opaque bytes of up to 1024, and close ones are told apart") { subject in
            let bucket = try await subject.bucket()
            let keys: [[UInt8]] = [
                [0], [0, 0], [0xFF], [0xFF, 0xFF], [0xC3, 0xA9], [0x65, 0xCC, 0x81],
                [UInt8](repeating: 0xFF, count: 1024),
                [UInt8](repeating: 0xFF, count: 1023), [0x27, 0x22, 0x3B, 0x2D, 0x2D],
            ]
            for (index, bytes) in keys.enumerated() {
                let key = try #require(ObjectKey(bytes))
                _ = try await subject.store.publish(
                    NewVersion(
                        bucket: bucket, key: key, owner: "o", size: UInt64(index), etag: ETag(md5: .md5(0)),
                        attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty))
            }
            for (index, bytes) in keys.enumerated() {
                let key = try #require(ObjectKey(bytes))
                let found = try await subject.store.version(of: key, in: bucket, version: nil)
                #expect(found?.size == UInt64(index))
            }
            let page = try await subject.list(bucket)
            #expect(page.objects.map(\.key.utf8) == keys.sorted { $0.lexicographicallyPrecedes($1) })
        },
        ContractCase("an unversioned overwrite replaces the null version and drops its blob") { subject in
            let bucket = try await subject.bucket()
            let first = try await subject.put("k", in: bucket, blob: Blobs.next())
            let second = try await subject.put("k", in: bucket, md5: 2)
            #expect(second.sequence > first.sequence)
            #expect(try await subject.get("k", in: bucket) == second)
            #expect(try await subject.get("k", in: bucket, .null) == second)
            #expect(try await subject.listVersions(bucket).versions.count == 1)
            #expect(try await subject.garbage().isSuperset(of: first.content.blobs.map(\.value)))
        },
        ContractCase("an enabled bucket keeps every version under an id of 32 digits") { subject in
            let bucket = try await subject.bucket(.enabled)
            let first = try await subject.put("k", in: bucket)
            let second = try await subject.put("k", in: bucket)
            for version in [first, second] {
                guard case .id(let digits) = version.versionID else {
                    Issue.record("not an id")
                    continue
                }
                #expect(VersionID(digits) == version.versionID)
            }
            #expect(first.versionID != second.versionID && first.sequence < second.sequence)
            #expect(try await subject.get("k", in: bucket) == second)
            let former = try #require(try await subject.get("k", in: bucket, first.versionID))
            #expect(!former.isLatest && former.content == first.content)
            #expect(try await subject.get("k", in: bucket, .null) == nil)
            let garbage = try await subject.garbage()
            #expect(garbage.isDisjoint(with: (first.content.blobs + second.content.blobs).map(\.value)))
        },
        ContractCase("the null version survives switching versioning on, and a suspended bucket keeps exactly one") {
            subject in
            let bucket = try await subject.bucket()
            let null = try await subject.put("k", in: bucket)
            try await subject.store.setVersioning(.enabled, of: bucket)
            let named = try await subject.put("k", in: bucket)
            #expect(try await subject.get("k", in: bucket, .null)?.content == null.content)
            try await subject.store.setVersioning(.suspended, of: bucket)
            let other = try await subject.put("k", in: bucket)
            #expect(other.versionID == .null)
            let all = try await subject.listVersions(bucket).versions
            #expect(all.map(\.versionID) == [.null, named.versionID])
            #expect(all.map(\.isLatest) == [true, false])
            #expect(try await subject.garbage().isSuperset(of: null.content.blobs.map(\.value)))
            #expect(try await subject.get("k", in: bucket, named.versionID)?.content == named.content)
        },
        ContractCase("deleting a key of an unversioned bucket removes it; a missing one is nothing") { subject in
            let bucket = try await subject.bucket()
            let made = try await subject.put("k", in: bucket)
            let nothing = DeleteResult(versionID: nil, isDeleteMarker: false)
            #expect(try await subject.delete("k", in: bucket) == nothing)
            #expect(try await subject.get("k", in: bucket) == nil)
            #expect(try await subject.delete("k", in: bucket) == nothing)
            #expect(try await subject.garbage().isSuperset(of: made.content.blobs.map(\.value)))
        },
        ContractCase("deleting in an enabled bucket adds a delete marker, for a missing key too") { subject in
            let bucket = try await subject.bucket(.enabled)
            let made = try await subject.put("k", in: bucket)
            for key in ["k", "missing"] {
                let result = try await subject.delete(key, in: bucket)
                #expect(result.isDeleteMarker)
                let marker = try #require(try await subject.get(key, in: bucket))
                #expect(marker.isDeleteMarker && marker.isLatest && marker.versionID == result.versionID)
                #expect(marker.content == .empty && marker.size == 0)
            }
            #expect(try await subject.get("k", in: bucket, made.versionID)?.content == made.content)
            #expect(try await subject.list(bucket).keys == [])
        },
        ContractCase("deleting in a suspended bucket replaces the null version by a null delete marker") { subject in
            let bucket = try await subject.bucket(.enabled)
            let named = try await subject.put("k", in: bucket)
            try await subject.store.setVersioning(.suspended, of: bucket)
            let null = try await subject.put("k", in: bucket)
            for _ in 0..<2 {
                let result = try await subject.delete("k", in: bucket)
                #expect(result == DeleteResult(versionID: .null, isDeleteMarker: true))
                let all = try await subject.listVersions(bucket).versions
                #expect(all.map(\.versionID) == [.null, named.versionID])
                #expect(all.map(\.isDeleteMarker) == [true, false])
            }
            #expect(try await subject.garbage().isSuperset(of: null.content.blobs.map(\.value)))
        },
        ContractCase("removing the latest version uncovers the next, be it a delete marker") { subject in
            let bucket = try await subject.bucket(.enabled)
            let first = try await subject.put("k", in: bucket)
            let marker = try await subject.delete("k", in: bucket)
            let third = try await subject.put("k", in: bucket)
            #expect(
                try await subject.delete("k", in: bucket, third.versionID)
                    == DeleteResult(versionID: third.versionID, isDeleteMarker: false))
            let uncovered = try #require(try await subject.get("k", in: bucket))
            #expect(uncovered.versionID == marker.versionID && uncovered.isDeleteMarker && uncovered.isLatest)
            #expect(try await subject.list(bucket).keys == [])
            #expect(try await subject.delete("k", in: bucket, marker.versionID).isDeleteMarker)
            let back = try #require(try await subject.get("k", in: bucket))
            #expect(back.versionID == first.versionID && back.isLatest)
            #expect(try await subject.list(bucket).keys == ["k"])
            try await subject.delete("k", in: bucket, first.versionID)
            #expect(try await subject.get("k", in: bucket) == nil)
        },
        ContractCase("removing a former version leaves the latest, and one that is not there changes nothing") {
            subject in
            let bucket = try await subject.bucket(.enabled)
            let first = try await subject.put("k", in: bucket)
            let second = try await subject.put("k", in: bucket)
            try await subject.delete("k", in: bucket, first.versionID)
            #expect(try await subject.garbage().isSuperset(of: first.content.blobs.map(\.value)))
            for version in [first.versionID, .null] {
                #expect(
                    try await subject.delete("k", in: bucket, version)
                        == DeleteResult(versionID: version, isDeleteMarker: false))
            }
            #expect(try await subject.listVersions(bucket).versions.map(\.versionID) == [second.versionID])
        },
        ContractCase("tags are replaced on the latest or a named version; markers and missing ones are refused") {
            subject in
            let bucket = try await subject.bucket(.enabled)
            let first = try await subject.put("k", in: bucket, tags: [Tag(key: [1], value: [1])])
            let second = try await subject.put("k", in: bucket)
            let tags = [Tag(key: [2], value: [3])]
            let store = subject.store
            #expect(try await store.setTags(tags, of: .of("k"), in: bucket, version: nil) == second.versionID)
            #expect(try await subject.get("k", in: bucket)?.tags == tags)
            _ = try await store.setTags([], of: .of("k"), in: bucket, version: first.versionID)
            #expect(try await subject.get("k", in: bucket, first.versionID)?.tags == [])
            await #expect(throws: MetadataError.noSuchVersion) {
                _ = try await store.setTags(tags, of: .of("k"), in: bucket, version: .null)
            }
            await #expect(throws: MetadataError.noSuchKey) {
                _ = try await store.setTags(tags, of: .of("other"), in: bucket, version: nil)
            }
            try await subject.delete("k", in: bucket)
            await #expect(throws: MetadataError.noSuchKey) {
                _ = try await store.setTags(tags, of: .of("k"), in: bucket, version: nil)
            }
        },
        ContractCase("writing to a bucket that is gone is refused") { subject in
            let bucket = try await subject.bucket()
            try await subject.store.deleteBucket(bucket)
            await #expect(throws: MetadataError.noSuchBucket) { try await subject.put("k", in: bucket) }
            await #expect(throws: MetadataError.noSuchBucket) { try await subject.delete("k", in: bucket) }
        },
    ]
}
