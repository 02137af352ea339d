import Bytes
import Digests
import Metadata
import Testing

extension Subject {
    func beginUpload(
        _ key: String, in bucket: BucketID, initiated: Timestamp = .fixed, id: UploadID = .random(), tags: [Tag] = [],
        attributes: ObjectAttributes = ObjectAttributes()
    ) async throws -> Upload {
        let upload = Upload(
            id: id, bucket: bucket, key: .of(key), owner: "alice", initiated: initiated, attributes: attributes,
            tags: tags, checksumAlgorithm: .crc32, checksumKind: .composite)
        try await store.createUpload(upload)
        return upload
    }

    @discardableResult
    func putPart(
        _ number: Int, of upload: Upload, size: UInt64 = 100, md5 seed: UInt8? = nil, blob: UInt64? = Blobs.next()
    ) async throws -> UploadedPart {
        let part = UploadedPart(
            number: number, size: size, md5: .md5(seed ?? UInt8(truncatingIfNeeded: number)),
            checksum: PartChecksum(algorithm: .crc32, value: [UInt8(truncatingIfNeeded: number), 0, 0, 1]),
            modified: .fixed, blob: blob.map { BlobID($0) })
        try await store.putPart(part, blob: nil, of: upload.id, key: upload.key, in: upload.bucket)
        return part
    }

    func complete(
        _ upload: Upload, _ parts: [UploadedPart], sizeMin: UInt64 = 50, size: UInt64? = nil,
        conditions: WriteConditions = WriteConditions(), change: (inout CompleteRequest) -> Void = { _ in }
    ) async throws -> ObjectVersion {
        var request = CompleteRequest(
            upload: upload.id, bucket: upload.bucket, key: upload.key,
            parts: parts.map { .init(number: $0.number, md5: $0.md5, checksum: $0.checksum?.value) },
            partSizeMin: sizeMin, size: size, etag: ETag(md5: .md5(0xEE), partCount: parts.count),
            checksum: Checksum(algorithm: .crc32, kind: .composite, value: [9, 9, 9, 9], partCount: parts.count),
            conditions: conditions)
        change(&request)
        return try await store.completeUpload(request)
    }

    func listUploads(
        _ bucket: BucketID, prefix: String = "", delimiter: String? = nil, key: [UInt8]? = nil, upload: UploadID? = nil,
        limit: Int = 1000
    ) async throws -> ListUploadsPage {
        try await store.listUploads(
            ListUploadsQuery(
                bucket: bucket, prefix: [UInt8](prefix.utf8), delimiter: delimiter.map { [UInt8]($0.utf8) },
                keyMarker: key, uploadMarker: upload, limit: limit))
    }
}

extension UploadID {
    static func random() -> UploadID {
        known(UploadID((0..<16).flatMap { _ in Hex.encode([UInt8.random(in: 0...255)]) }))
    }
}

extension ContractCase {
    static let uploads = [
        ContractCase("an upload and its parts are read back; a part sent again replaces the first") { subject in
            let bucket = try await subject.bucket()
            var attributes = ObjectAttributes()
            attributes.storageClass = [1]
            attributes.contentType = [2]
            let upload = try await subject.beginUpload(
                "k", in: bucket, tags: [Tag(key: [1], value: [2])], attributes: attributes)
            #expect(try await subject.store.upload(upload.id, of: upload.key, in: bucket) == upload)
            #expect(try await subject.store.upload(upload.id, of: .of("other"), in: bucket) == nil)
            let two = try await subject.putPart(2, of: upload)
            let old = try await subject.putPart(1, of: upload)
            let one = try await subject.putPart(1, of: upload, md5: 77)
            #expect(try await subject.store.parts(of: upload.id, after: 0, limit: 10) == [one, two])
            #expect(try await subject.store.parts(of: upload.id, after: 1, limit: 10) == [two])
            #expect(try await subject.store.parts(of: upload.id, after: 0, limit: 1) == [one])
            #expect(try await subject.garbage().contains(try #require(old.blob).value))
            await #expect(throws: MetadataError.noSuchUpload) {
                try await subject.store.putPart(one, blob: nil, of: upload.id, key: .of("other"), in: bucket)
            }
            await #expect(throws: MetadataError.noSuchBucket) {
                _ = try await subject.beginUpload("k", in: BucketID(Int64.max))
            }
        },
        ContractCase("Complete publishes the listed parts as one version and drops the others") { subject in
            let bucket = try await subject.bucket(.enabled)
            var attributes = ObjectAttributes()
            attributes.contentType = [7]
            attributes.storageClass = [8]
            let upload = try await subject.beginUpload(
                "k", in: bucket, tags: [Tag(key: [1], value: [2])], attributes: attributes)
            var parts: [UploadedPart] = []
            for number in [1, 3, 10_000] { parts.append(try await subject.putPart(number, of: upload)) }
            let left = try await subject.putPart(2, of: upload)
            let made = try await subject.complete(upload, parts, size: 300)
            let stored = parts.map {
                StoredPart(number: $0.number, blob: $0.blob, size: 100, checksum: $0.checksum?.value)
            }
            #expect(made.content == .parts(stored) && made.size == 300 && made.etag.partCount == 3)
            #expect(made.attributes == attributes && made.tags == upload.tags && made.owner == "alice")
            #expect(made.checksum?.value == [9, 9, 9, 9])
            #expect(try await subject.get("k", in: bucket) == made)
            #expect(try await subject.garbage().contains(try #require(left.blob).value))
            #expect(try await subject.store.upload(upload.id, of: upload.key, in: bucket) == nil)
            #expect(try await subject.store.parts(of: upload.id, after: 0, limit: 10) == [])
            await #expect(throws: MetadataError.noSuchUpload) { try await subject.putPart(1, of: upload) }
            try await subject.delete("k", in: bucket, made.versionID)
            #expect(try await subject.garbage().isSuperset(of: parts.compactMap { $0.blob?.value }))
        },
        ContractCase("Complete sent again returns the first result, also after the version is gone") { subject in
            let bucket = try await subject.bucket(.enabled)
            let upload = try await subject.beginUpload("k", in: bucket)
            let part = try await subject.putPart(1, of: upload)
            let made = try await subject.complete(upload, [part])
            #expect(try await subject.complete(upload, [part]) == made)
            try await subject.put("k", in: bucket)
            let again = try await subject.complete(upload, [part])
            #expect(again.versionID == made.versionID && again.etag == made.etag)
            #expect(try await subject.listVersions(bucket).versions.count == 2)
            try await subject.delete("k", in: bucket, made.versionID)
            #expect(try await subject.complete(upload, [part]).versionID == made.versionID)
            #expect(try await subject.listVersions(bucket).versions.count == 1)
            await #expect(throws: MetadataError.noSuchUpload) {
                _ = try await subject.complete(upload, [part]) { $0.key = .of("other") }
            }
            await #expect(throws: MetadataError.noSuchUpload) {
                try await subject.store.abortUpload(upload.id, of: upload.key, in: bucket)
            }
        },
        ContractCase("Complete refuses parts that are missing, differ, are doubled, too small or of another sum") {
            subject in
            let bucket = try await subject.bucket()
            let upload = try await subject.beginUpload("k", in: bucket)
            let one = try await subject.putPart(1, of: upload, size: 49)
            let two = try await subject.putPart(2, of: upload, size: 10)
            let changes: [(MetadataError, @Sendable (inout CompleteRequest) -> Void)] = [
                (.invalidPart(number: 3), { $0.parts[1].number = 3 }),
                (.invalidPart(number: 1), { $0.parts[0].md5 = .md5(9) }),
                (.invalidPart(number: 2), { $0.parts[1].checksum = [1] }),
                (.invalidPart(number: 2), { $0.parts.append($0.parts[1]) }),
                (.partTooSmall(number: 1, size: 49, sizeMin: 50), { _ in }),
                (.invalidPart(number: 2), { ($0.partSizeMin, $0.size) = (49, 58) }),
                (.invalidPart(number: 0), { $0.parts = [] }),
            ]
            for (error, change) in changes {
                await #expect(throws: error) { _ = try await subject.complete(upload, [one, two], change: change) }
            }
            #expect(try await subject.get("k", in: bucket) == nil)
            let made = try await subject.complete(upload, [two, one], sizeMin: 49, size: 59)
            #expect(made.content.blobs == [one.blob, two.blob].compactMap { $0 })
        },
        ContractCase("Complete decides its conditions, and keeps the upload when they fail") { subject in
            let bucket = try await subject.bucket()
            try await subject.put("k", in: bucket)
            let upload = try await subject.beginUpload("k", in: bucket)
            let part = try await subject.putPart(1, of: upload)
            var ifAbsent = WriteConditions()
            ifAbsent.ifNoneMatch = .any
            await #expect(throws: MetadataError.preconditionFailed) {
                _ = try await subject.complete(upload, [part], conditions: ifAbsent)
            }
            #expect(try await subject.store.parts(of: upload.id, after: 0, limit: 10) == [part])
            try await subject.delete("k", in: bucket)
            _ = try await subject.complete(upload, [part], conditions: ifAbsent)
        },
        ContractCase("a version of ten thousand parts, some of no bytes, is read back whole") { subject in
            let bucket = try await subject.bucket()
            let upload = try await subject.beginUpload("k", in: bucket)
            let parts = try await withThrowingTaskGroup(of: UploadedPart.self) { group in
                for number in 1...10_000 {
                    group.addTask {
                        try await subject.putPart(
                            number, of: upload, size: number == 10_000 ? 0 : 100,
                            blob: number == 10_000 ? nil : UInt64(number) << 40)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let made = try await subject.complete(upload, parts)
            let read = try #require(try await subject.get("k", in: bucket))
            #expect(read == made)
            guard case .parts(let stored) = read.content else {
                Issue.record("not parts")
                return
            }
            #expect(stored.map(\.number) == Array(1...10_000))
            #expect(stored.last?.blob == nil && read.content.blobs.count == 9_999)
        },
        ContractCase("abort drops the parts, once") { subject in
            let bucket = try await subject.bucket()
            let upload = try await subject.beginUpload("k", in: bucket)
            let part = try await subject.putPart(1, of: upload)
            try await subject.store.abortUpload(upload.id, of: upload.key, in: bucket)
            #expect(try await subject.garbage().contains(try #require(part.blob).value))
            await #expect(throws: MetadataError.noSuchUpload) {
                try await subject.store.abortUpload(upload.id, of: upload.key, in: bucket)
            }
            await #expect(throws: MetadataError.noSuchUpload) { _ = try await subject.complete(upload, [part]) }
            #expect(try await subject.listUploads(bucket).uploads == [])
        },
        ContractCase("uploads are listed by key, then by the time they were begun, with prefix, delimiter and markers")
        {
            subject in
            let bucket = try await subject.bucket()
            var uploads: [Upload] = []
            for (key, second) in [("b", 2), ("b", 1), ("a/1", 5), ("a/2", 4), ("c", 3), ("b", 1)] {
                uploads.append(
                    try await subject.beginUpload(
                        key, in: bucket, initiated: Timestamp(milliseconds: Int64(second) * 1000)))
            }
            let twins = [uploads[1], uploads[5]].sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
            let sorted = [uploads[2], uploads[3]] + twins + [uploads[0], uploads[4]]
            #expect(try await subject.listUploads(bucket).uploads == sorted)
            #expect(try await subject.listUploads(bucket, prefix: "b").uploads == twins + [uploads[0]])
            let rolled = try await subject.listUploads(bucket, delimiter: "/")
            #expect(rolled.commonPrefixes == [[UInt8]("a/".utf8)] && rolled.uploads == Array(sorted[2...]))
            for limit in 1...7 {
                var seen: [Upload] = []
                var page = try await subject.listUploads(bucket, limit: limit)
                for _ in 0..<20 {
                    seen += page.uploads
                    guard page.isTruncated else { break }
                    page = try await subject.listUploads(
                        bucket, key: page.nextKeyMarker, upload: page.nextUploadMarker, limit: limit)
                }
                #expect(seen == sorted)
            }
            #expect(try await subject.listUploads(bucket, limit: 0).isTruncated == false)
        },
    ]
}
