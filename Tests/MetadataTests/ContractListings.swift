import Bytes
import Digests
import Metadata
import Testing

extension ContractCase {
    static let listings = [
        ContractCase("a listing shows size, ETag, date, owner, checksum and storage class") { subject in
            let bucket = try await subject.bucket(.enabled)
            var attributes = ObjectAttributes()
            attributes.storageClass = [UInt8]("GLACIER".utf8)
            let checksum = Checksum(algorithm: .sha256, kind: .fullObject, value: [UInt8](repeating: 9, count: 32))
            let made = try await subject.put("k", in: bucket, size: 77, attributes: attributes, checksum: checksum)
            var shown = made
            shown.content = .empty
            #expect(try await subject.list(bucket).objects == [shown])
        },
        ContractCase("a listing pages through keys in byte order and shows no deleted ones") { subject in
            let bucket = try await subject.bucket(.enabled)
            let keys = (0..<25).map { "key-\($0 < 10 ? "0" : "")\($0)" }
            for key in keys.shuffled() { try await subject.put(key, in: bucket) }
            for key in keys where key.hasSuffix("5") { try await subject.delete(key, in: bucket) }
            let live = keys.filter { !$0.hasSuffix("5") }
            var seen: [String] = []
            var after: [UInt8]?
            for _ in 0..<20 {
                let page = try await subject.store.listObjects(
                    ListQuery(bucket: bucket, prefix: [], delimiter: nil, after: after, limit: 4))
                seen += page.keys
                #expect(page.last == page.objects.last?.key.utf8)
                after = page.last
                if !page.isTruncated { break }
            }
            #expect(seen == live)
            let exact = try await subject.list(bucket, limit: live.count)
            #expect(exact.keys == live && !exact.isTruncated)
            let none = try await subject.list(bucket, limit: 0)
            #expect(none.keys == [] && !none.isTruncated && none.last == nil)
        },
        ContractCase("a delimiter rolls keys up, each common prefix counting as one entry") { subject in
            let bucket = try await subject.bucket()
            let keys = ["a", "a/1", "a/2", "b/x/1", "b/x/2", "b/y", "c", "d//e", "é/1"]
            for key in keys { try await subject.put(key, in: bucket) }
            let all = try await subject.list(bucket, delimiter: "/")
            #expect(all.keys == ["a", "c"] && all.prefixes == ["a/", "b/", "d/", "é/"])
            let below = try await subject.list(bucket, prefix: "b/", delimiter: "/")
            #expect(below.keys == ["b/y"] && below.prefixes == ["b/x/"])
            let empty = try await subject.list(bucket, prefix: "d/", delimiter: "/")
            #expect(empty.keys == [] && empty.prefixes == ["d//"])
            #expect(try await subject.list(bucket, delimiter: "").keys == keys)
            var entries: [String] = []
            var after: String?
            for _ in 0..<20 {
                let page = try await subject.list(bucket, delimiter: "/", after: after, limit: 1)
                entries += page.keys + page.prefixes
                after = page.last.map { String(decoding: $0, as: UTF8.self) }
                if !page.isTruncated { break }
            }
            #expect(entries == ["a", "a/", "b/", "c", "d/", "é/"])
        },
        ContractCase("a delimiter may have several characters, and may lie in the prefix") { subject in
            let bucket = try await subject.bucket()
            for key in ["a--b--c", "a--b-c", "a-b", "x----y", "--"] { try await subject.put(key, in: bucket) }
            let page = try await subject.list(bucket, delimiter: "--")
            #expect(page.prefixes == ["--", "a--", "x--"] && page.keys == ["a-b"])
            let inner = try await subject.list(bucket, prefix: "a--", delimiter: "--")
            #expect(inner.prefixes == ["a--b--"] && inner.keys == ["a--b-c"])
            #expect(try await subject.list(bucket, prefix: "a--b", delimiter: "-").prefixes == ["a--b-"])
        },
        ContractCase("a start inside a common prefix still shows it; one that names it passes it over") { subject in
            let bucket = try await subject.bucket()
            for key in ["a/1", "a/2", "b"] { try await subject.put(key, in: bucket) }
            #expect(try await subject.list(bucket, delimiter: "/", after: "a/1").prefixes == ["a/"])
            #expect(try await subject.list(bucket, delimiter: "/", after: "a/2").prefixes == [])
            #expect(try await subject.list(bucket, delimiter: "/", after: "a/").prefixes == [])
            #expect(try await subject.list(bucket, delimiter: "/", after: "a").prefixes == ["a/"])
            #expect(try await subject.list(bucket, after: "a/").keys == ["a/1", "a/2", "b"])
            #expect(try await subject.list(bucket, prefix: "a/", delimiter: "/", after: "a/").keys == ["a/1", "a/2"])
            #expect(try await subject.list(bucket, prefix: "a", after: "0").keys == ["a/1", "a/2"])
            #expect(try await subject.list(bucket, prefix: "a", after: "b").keys == [])
        },
        ContractCase("prefixes and common prefixes of 0xFF bytes end where they should") { subject in
            let bucket = try await subject.bucket()
            let keys: [[UInt8]] = [[0xFE, 1], [0xFF], [0xFF, 0xFF], [0xFF, 0xFF, 1], [0xFF, 0xFF, 0xFF, 2]]
            for key in keys {
                _ = try await subject.store.publish(
                    NewVersion(
                        bucket: bucket, key: try #require(ObjectKey(key)), owner: "o", size: 0,
                        etag: ETag(md5: .md5(0)),
                        attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty))
            }
            func list(_ prefix: [UInt8], _ delimiter: [UInt8]?, limit: Int = 9) async throws -> ListPage {
                try await subject.store.listObjects(
                    ListQuery(bucket: bucket, prefix: prefix, delimiter: delimiter, after: nil, limit: limit))
            }
            #expect(try await list([0xFF], nil).objects.map(\.key.utf8) == Array(keys[1...]))
            let rolled = try await list([], [0xFF])
            #expect(rolled.objects.map(\.key.utf8) == [[0xFE, 1]] && rolled.commonPrefixes == [[0xFF]])
            #expect(try await list([], [0xFF], limit: 2).isTruncated == false)
            let inner = try await list([0xFF], [0xFF])
            #expect(inner.objects.map(\.key.utf8) == [[0xFF]] && inner.commonPrefixes == [[0xFF, 0xFF]])
        },
        ContractCase("folders with many keys between keys of none are listed page by page, each once") { subject in
            let bucket = try await subject.bucket()
            var keys: [[UInt8]] = []
            for folder in UInt8(0)..<40 {
                // Bytes that are no UTF-8, and zeros, in names and behind the delimiter.
                let name: [UInt8] = [0x61, folder &* 6, 0xC3]
                if folder % 5 == 0 { keys.append(name) }
                for number in UInt8(0)..<(folder % 3 == 0 ? 1 : 9) { keys.append(name + [0x2F, number &* 31, 0x2F]) }
            }
            let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
            _ = try await MongoRaceTests.race(8) { [keys] worker in
                for index in stride(from: worker, to: keys.count, by: 8) {
                    _ = try await subject.store.publish(
                        NewVersion(
                            bucket: bucket, key: try #require(ObjectKey(keys[index])), owner: "o", size: 0,
                            etag: ETag(md5: .md5(0)), attributes: ObjectAttributes(), checksum: nil, tags: [],
                            content: .empty))
                }
            }
            var expected: [[UInt8]] = []
            for key in sorted {
                let end = key.firstIndex(of: 0x2F)
                let entry = end.map { [UInt8](key[...$0]) } ?? key
                if expected.last != entry { expected.append(entry) }
            }
            for limit in [1_000, 37, 2] {
                var entries: [[UInt8]] = []
                var after: [UInt8]?
                while true {
                    let page = try await subject.store.listObjects(
                        ListQuery(bucket: bucket, prefix: [0x61], delimiter: [0x2F], after: after, limit: limit))
                    entries += (page.objects.map(\.key.utf8) + page.commonPrefixes).sorted {
                        $0.lexicographicallyPrecedes($1)
                    }
                    after = page.last
                    guard page.isTruncated else { break }
                }
                #expect(entries == expected)
            }
        },
    ]

    static let versionListings = [
        ContractCase("versions are listed newest first within each key, markers included, and paged by version") {
            subject in
            let bucket = try await subject.bucket(.enabled)
            var expected: [String: [VersionID]] = [:]
            for round in 0..<3 {
                for key in ["a", "b"] {
                    let id =
                        round == 1
                        ? try await subject.delete(key, in: bucket).versionID
                        : try await subject.put(key, in: bucket).versionID
                    expected[key, default: []].insert(try #require(id), at: 0)
                }
            }
            let all = try await subject.listVersions(bucket)
            #expect(all.versions.map(\.versionID) == (expected["a"] ?? []) + (expected["b"] ?? []))
            #expect(all.versions.map(\.isLatest) == [true, false, false, true, false, false])
            #expect(all.versions.map(\.isDeleteMarker) == [false, true, false, false, true, false])
            for limit in 1...7 {
                var seen: [VersionID] = []
                var page = try await subject.listVersions(bucket, limit: limit)
                for _ in 0..<20 {
                    seen += page.versions.map(\.versionID)
                    #expect(page.versions.count <= limit)
                    guard page.isTruncated else { break }
                    page = try await subject.store.listVersions(
                        ListVersionsQuery(
                            bucket: bucket, prefix: [], delimiter: nil, keyMarker: page.nextKeyMarker,
                            versionMarker: page.nextVersionMarker, limit: limit))
                }
                #expect(seen == all.versions.map(\.versionID))
                #expect(page.nextKeyMarker == nil && page.nextVersionMarker == nil)
            }
            #expect(try await subject.listVersions(bucket, key: "a").keys == ["b", "b", "b"])
        },
        ContractCase("a client that deletes page by page meets every version") { subject in
            let bucket = try await subject.bucket(.enabled)
            for _ in 0..<5 { for key in ["a", "b"] { try await subject.put(key, in: bucket) } }
            var page = try await subject.listVersions(bucket, limit: 3)
            for _ in 0..<20 {
                for version in page.versions {
                    try await subject.delete(version.key.text, in: bucket, version.versionID)
                }
                guard page.isTruncated else { break }
                page = try await subject.store.listVersions(
                    ListVersionsQuery(
                        bucket: bucket, prefix: [], delimiter: nil, keyMarker: page.nextKeyMarker,
                        versionMarker: page.nextVersionMarker, limit: 3))
            }
            #expect(try await subject.listVersions(bucket).versions == [])
        },
        ContractCase("versions roll up by delimiter, also of deleted keys") { subject in
            let bucket = try await subject.bucket(.enabled)
            for key in ["a/1", "a/2", "b", "c/1"] { try await subject.put(key, in: bucket) }
            try await subject.delete("c/1", in: bucket)
            let page = try await subject.listVersions(bucket, delimiter: "/")
            #expect(page.prefixes == ["a/", "c/"] && page.keys == ["b"])
            let first = try await subject.listVersions(bucket, delimiter: "/", limit: 1)
            #expect(first.prefixes == ["a/"] && first.isTruncated)
            #expect(first.nextKeyMarker == [UInt8]("a/".utf8) && first.nextVersionMarker == nil)
            let second = try await subject.listVersions(bucket, delimiter: "/", key: "a/", limit: 1)
            #expect(second.keys == ["b"])
            let none = try await subject.listVersions(bucket, limit: 0)
            #expect(none.versions == [] && !none.isTruncated)
        },
    ]
}
