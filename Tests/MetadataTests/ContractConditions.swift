import Bytes
import Metadata
import Testing

extension ContractCase {
    static let conditions = [
        ContractCase("If-None-Match: * is refused where an object is, and a delete marker is none") { subject in
            let bucket = try await subject.bucket(.enabled)
            var ifAbsent = WriteConditions()
            ifAbsent.ifNoneMatch = .any
            try await subject.put("k", in: bucket, conditions: ifAbsent)
            await #expect(throws: MetadataError.preconditionFailed) {
                try await subject.put("k", in: bucket, conditions: ifAbsent)
            }
            try await subject.delete("k", in: bucket)
            try await subject.put("k", in: bucket, conditions: ifAbsent)
            #expect(try await subject.listVersions(bucket).versions.count == 3)
        },
        ContractCase("If-Match needs an object of one of its ETags") { subject in
            let bucket = try await subject.bucket()
            func match(_ seeds: UInt8...) -> WriteConditions {
                var conditions = WriteConditions()
                conditions.ifMatch = .etags(seeds.map { ETag(md5: .md5($0)).unquoted })
                return conditions
            }
            var any = WriteConditions()
            any.ifMatch = .any
            for conditions in [match(1), any] {
                await #expect(throws: MetadataError.noSuchKey) {
                    try await subject.put("k", in: bucket, conditions: conditions)
                }
            }
            try await subject.put("k", in: bucket, md5: 1)
            await #expect(throws: MetadataError.preconditionFailed) {
                try await subject.put("k", in: bucket, md5: 2, conditions: match(2, 3))
            }
            try await subject.put("k", in: bucket, md5: 2, conditions: match(3, 1))
            try await subject.put("k", in: bucket, md5: 4, conditions: any)
            #expect(try await subject.get("k", in: bucket)?.etag.md5 == .md5(4))
        },
        ContractCase("If-None-Match with ETags is refused for the current one only") { subject in
            let bucket = try await subject.bucket()
            var other = WriteConditions()
            other.ifNoneMatch = .etags([ETag(md5: .md5(1)).unquoted])
            try await subject.put("k", in: bucket, md5: 1, conditions: other)
            await #expect(throws: MetadataError.preconditionFailed) {
                try await subject.put("k", in: bucket, md5: 2, conditions: other)
            }
            try await subject.put("k", in: bucket, md5: 2)
            try await subject.put("k", in: bucket, md5: 3, conditions: other)
        },
        ContractCase("a delete heeds ETag, size and date, of the named version where one is named") { subject in
            let bucket = try await subject.bucket(.enabled)
            let first = try await subject.put("k", in: bucket, size: 7, md5: 1)
            let second = try await subject.put("k", in: bucket, size: 8, md5: 2)
            var size = WriteConditions()
            size.ifSize = 7
            var date = WriteConditions()
            date.ifModifiedAt = Timestamp(milliseconds: (second.modified.seconds - 5) * 1000)
            var etag = WriteConditions()
            etag.ifMatch = .etags([first.etag.unquoted])
            for conditions in [size, date, etag] {
                await #expect(throws: MetadataError.preconditionFailed) {
                    try await subject.delete("k", in: bucket, conditions: conditions)
                }
            }
            await #expect(throws: MetadataError.noSuchKey) {
                try await subject.delete("missing", in: bucket, conditions: etag)
            }
            #expect(try await subject.listVersions(bucket).versions.count == 2)
            var all = WriteConditions()
            all.ifSize = 7
            all.ifMatch = .etags([first.etag.unquoted])
            all.ifModifiedAt = Timestamp(milliseconds: first.modified.seconds * 1000)
            try await subject.delete("k", in: bucket, first.versionID, conditions: all)
            #expect(try await subject.listVersions(bucket).versions.map(\.versionID) == [second.versionID])
        },
        ContractCase("of 64 racing If-None-Match: * exactly one wins") { subject in
            let bucket = try await subject.bucket()
            var ifAbsent = WriteConditions()
            ifAbsent.ifNoneMatch = .any
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for seed in 0..<64 {
                    group.addTask { [ifAbsent] in
                        do {
                            try await subject.put("k", in: bucket, md5: UInt8(seed), conditions: ifAbsent)
                            return true
                        } catch MetadataError.preconditionFailed {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
            #expect(try await subject.listVersions(bucket).versions.count == 1)
        },
    ]
}
