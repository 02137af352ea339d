import Buckets
import Bytes
import HTTPServer
import Metadata

/// What GetObject and HeadObject read from a request.
struct ObjectReadInput: Sendable {
    var bucket: BucketName
    var key: ObjectKey
    var version: VersionID?
    var range: ByteRange?
    /// `If-Range`: the version that a resumed download began with; the range holds for no other (RFC 9110 section 13.1.5).
    var ifRange: [UInt8]?
    var partNumber: Int?
    var conditions: ReadConditions
    var overrides: ResponseOverrides
    /// `x-amz-checksum-mode: ENABLED`.
    var wantsChecksum: Bool
    /// `variant` of the query: which of the pictures that are made of the object is meant in its place.
    var variant: [UInt8]?

    init(_ request: S3Request) throws(S3Error) {
        self.init(
            bucket: try request.bucketName(), key: try request.key(), version: try request.versionID(),
            head: request.head, query: request.query)
        partNumber = try request.number("partNumber", in: 1...10_000)
        if range != nil, partNumber != nil {
            throw S3Error(.invalidRequest, "Cannot specify both Range header and partNumber query parameter")
        }
    }

    init(bucket: BucketName, key: ObjectKey, version: VersionID?, head: RequestHead, query: QueryParameters) {
        (self.bucket, self.key, self.version) = (bucket, key, version)
        variant = query["variant"]
        range = head.first("range").flatMap { ByteRange.parse($0) }
        ifRange = head.first("if-range").map { [UInt8]($0) }
        conditions = ReadConditions(head)
        overrides = ResponseOverrides(query)
        wantsChecksum =
            head.first("x-amz-checksum-mode").map { Ascii.equalIgnoringCase($0, Array("ENABLED".utf8)) } ?? false
    }
}

extension ObjectReadInput {
    fileprivate func rangeHolds(for version: ObjectVersion) -> Bool {
        guard let ifRange else { return true }
        return ifRange == version.etag.quoted || ifRange == DateFormats.http(version.modified)
    }
}

/// A version found, and the part of it that the request asks for.
struct ObjectSelection: Sendable {
    var version: ObjectVersion
    var bucket: Bucket
    /// Nil for the whole object.
    var range: Range<UInt64>?
    /// With `partNumber` only: the part.
    var part: StoredPart?
    var notModified = false
    var input: ObjectReadInput

    /// Asked for by number, and of no bytes: no range can say so.
    var isEmptyPart: Bool { part?.size == 0 }

    /// A variant's own version id would be taken for the object's.
    var bucketIsVersioned: Bool { bucket.versioning != .unversioned && input.variant == nil }

    /// Status and fields of the answer; the body is the caller's.
    func response() -> Response {
        var response = Response(status: notModified ? 304 : range != nil ? 206 : 200)
        if notModified {
            response.headers.add("etag", version.etag.quoted)
            response.headers.add("last-modified", DateFormats.http(version.modified))
            if bucketIsVersioned { response.headers.add("x-amz-version-id", version.versionID.utf8) }
            return response
        }
        response.headers.add(describing: version, overrides: input.overrides, bucketIsVersioned: bucketIsVersioned)
        if input.partNumber != nil, case .parts(let parts) = version.content {
            response.headers.add("x-amz-mp-parts-count", UInt64(parts.count))
        }
        if let range {
            var text = [UInt8]("bytes ".utf8)
            Ascii.appendDecimal(range.lowerBound, to: &text)
            text.append(Ascii.dash)
            Ascii.appendDecimal(range.upperBound - 1, to: &text)
            text.append(Ascii.slash)
            Ascii.appendDecimal(version.size, to: &text)
            response.headers.add("content-range", text)
        }
        if input.wantsChecksum, let checksum = version.checksum {
            if let part, let value = part.checksum {
                response.headers.add(Checksum(algorithm: checksum.algorithm, kind: checksum.kind, value: value))
            } else if range == nil {
                response.headers.add(checksum)
            }
        }
        return response
    }
}

extension Services {
    /// Finds the version that a read names and judges its conditions, range and part number.
    /// Throws NoSuchBucket, NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker by name), PreconditionFailed,
    /// InvalidRange, InvalidPartNumber.
    func select(_ input: ObjectReadInput, as caller: Caller) async throws -> ObjectSelection {
        if let name = input.variant {
            let variant = try await variant(name, of: input, as: caller)
            return try select(variant.version, in: variant.bucket, input)
        }
        let bucket = try await self.bucket(input.bucket)
        let version = try await existingVersion(of: input.key, in: bucket, version: input.version)
        return try select(version, in: bucket, input)
    }

    private func select(
        _ version: ObjectVersion, in bucket: Bucket, _ input: ObjectReadInput
    ) throws(S3Error) -> ObjectSelection {
        var selection = ObjectSelection(
            version: version, bucket: bucket, input: input)
        switch input.conditions.judge(version, now: .now()) {
        case .proceed: break
        case .notModified:
            selection.notModified = true
            return selection
        case .failed: throw S3Error(.preconditionFailed)
        }
        if let number = input.partNumber {
            try selection.choosePart(number)
        } else if let range = input.range, input.rangeHolds(for: version) {
            guard let resolved = range.resolve(size: version.size) else {
                var error = S3Error(.invalidRange)
                    .adding("ActualObjectSize", Ascii.decimal(of: version.size))
                error.headers.add("content-range", Array("bytes */".utf8) + Ascii.decimal(of: version.size))
                throw error
            }
            selection.range = resolved
        }
        return selection
    }

    /// Calls `attempt`, which looks a version up and opens its bytes, again where they vanished in between because the
    /// version was replaced or deleted; three times in all.
    func lookingUpAgain<Result: Sendable>(_ attempt: () async throws -> Result) async throws -> Result {
        for _ in 1..<3 {
            do { return try await attempt() } catch BucketsError.gone {}
        }
        do {
            return try await attempt()
        } catch BucketsError.gone(let blob) {
            throw S3Error(.internalError, cause: "blob \(blob.value) is gone as often as its version is looked up")
        }
    }

    /// The version named, or the latest. A delete marker is NoSuchKey, or MethodNotAllowed when it was named.
    func existingVersion(of key: ObjectKey, in bucket: Bucket, version id: VersionID?) async throws -> ObjectVersion {
        guard let found = try await metadata.version(of: key, in: bucket.id, version: id) else {
            if let id {
                throw S3Error(.noSuchVersion).adding("Key", key.utf8).adding("VersionId", id.utf8)
            }
            throw S3Error(.noSuchKey).adding("Key", key.utf8)
        }
        guard found.isDeleteMarker else { return found }
        var error = id == nil ? S3Error(.noSuchKey).adding("Key", key.utf8) : S3Error(.methodNotAllowed)
        error.headers.add("x-amz-delete-marker", "true")
        error.headers.add("x-amz-version-id", found.versionID.utf8)
        if id != nil {
            error.headers.add("allow", "DELETE")
            error.headers.add("last-modified", DateFormats.http(found.modified))
        }
        throw error
    }

    /// Refuses a write whose conditions fail already, before its body is read. The commit decides again.
    func precheck(_ conditions: WriteConditions, of key: ObjectKey, in bucket: Bucket) async throws {
        if conditions.isEmpty { return }
        let found = try await metadata.version(of: key, in: bucket.id, version: nil)
        let current = found.flatMap { $0.isDeleteMarker ? nil : $0 }
        if let ifMatch = conditions.ifMatch {
            guard let current else { throw S3Error(.noSuchKey).adding("Key", key.utf8) }
            if !ifMatch.holds(for: current.etag) {
                throw S3Error(.preconditionFailed).adding("Condition", "If-Match".utf8)
            }
        }
        if let ifNoneMatch = conditions.ifNoneMatch, let current, ifNoneMatch.holds(for: current.etag) {
            throw S3Error(.preconditionFailed).adding("Condition", "If-None-Match".utf8)
        }
    }
}

extension ObjectSelection {
    fileprivate mutating func choosePart(_ number: Int) throws(S3Error) {
        guard case .parts(let parts) = version.content else {
            guard number == 1 else { throw S3Error(.invalidPartNumber) }
            if version.size > 0 { range = 0..<version.size }
            return
        }
        var offset: UInt64 = 0
        for part in parts {
            let end = offset &+ part.size
            if part.number == number {
                self.part = part
                if part.size > 0 { range = offset..<end }
                return
            }
            offset = end
        }
        throw S3Error(.invalidPartNumber)
    }
}
