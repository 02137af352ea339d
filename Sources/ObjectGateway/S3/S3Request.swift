import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import SigV4
import XML

/// One authenticated request on its way to an operation.
struct S3Request: Sendable {
    let id: RequestID
    let request: Request
    let target: RequestTarget
    let caller: Caller
    let authentication: AuthenticatedPayload

    var head: RequestHead { request.head }
    var query: QueryParameters { target.query }

    /// The bucket named; InvalidBucketName where no bucket can have the name.
    func bucketName() throws(S3Error) -> BucketName {
        guard let name = target.bucket else {
            throw S3Error(.invalidBucketName).adding("BucketName", target.bucketText)
        }
        return name
    }

    func key() throws(S3Error) -> ObjectKey {
        guard let key = target.key else { throw S3Error(.invalidRequest, "The request names no object.") }
        return key
    }

    /// `versionId` of the query; nil when absent. Text that no version can have is InvalidArgument, as on AWS.
    func versionID() throws(S3Error) -> VersionID? {
        guard let text = query["versionId"] else { return nil }
        guard !text.isEmpty else {
            throw .invalidArgument("versionId", text, "Version id cannot be the empty string")
        }
        guard let version = VersionID(text) else {
            throw .invalidArgument("versionId", text, "Invalid version id specified")
        }
        return version
    }

    func uploadID() throws(S3Error) -> UploadID {
        guard let id = query["uploadId"].flatMap({ UploadID($0) }) else { throw S3Error(.noSuchUpload) }
        return id
    }

    /// A decimal parameter; nil when absent.
    func number(_ name: StaticString, in range: ClosedRange<Int>) throws(S3Error) -> Int? {
        guard let text = query[name] else { return nil }
        guard let value = Ascii.decimal(text), value <= UInt64(Int32.max) else {
            throw .invalidArgument(
                name.description, text, "Provided \(name.description) not an integer or within integer range")
        }
        guard range.contains(Int(value)) else {
            throw .invalidArgument(
                name.description, text,
                "\(name.description) must be an integer between \(range.lowerBound) and \(range.upperBound)")
        }
        return Int(value)
    }

    /// The whole body, verified against its signature and checksums. EntityTooLarge above `sizeMax` bytes.
    func readBody(sizeMax: Int, checksumHeadersAreOfBody: Bool = true) async throws -> [UInt8] {
        let payload = try Payload(
            self, defaultDigests: [], checksumHeadersAreOfBody: checksumHeadersAreOfBody)
        if let length = payload.length, length > UInt64(sizeMax) { throw S3Error(.maxMessageLengthExceeded) }
        var bytes: [UInt8] = []
        let digests = DigestStream(payload.digests)
        let source = payload.source
        while try await source.read({ span in
            guard bytes.count + span.count <= sizeMax else { throw S3Error(.maxMessageLengthExceeded) }
            digests.update(span)
            // SAFETY: the buffer is used within the closure only.
            unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }) {}
        _ = try payload.verify(size: UInt64(bytes.count), digests.finish())
        return bytes
    }

    /// The body as a document; MalformedXML when it is none.
    func readXML(sizeMax: Int = 1 << 20, checksumHeadersAreOfBody: Bool = true) async throws -> XMLElement {
        let bytes = try await readBody(sizeMax: sizeMax, checksumHeadersAreOfBody: checksumHeadersAreOfBody)
        do {
            return try XMLDocument.parse(bytes)
        } catch {
            throw S3Error(.malformedXML, cause: "\(error)")
        }
    }
}
