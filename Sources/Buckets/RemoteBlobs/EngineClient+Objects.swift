import Bytes
import Digests
import HTTPClient
import XML

/// One object of the engine's listing.
struct EngineObject: Sendable, Equatable {
    var key: String
    /// By the engine's clock; nil where it says none.
    var modified: Timestamp?
}

/// The S3 operations that blobs need.
extension EngineClient {
    /// What works on bytes that the engine has may take it long before it answers.
    private static let longTimeout = Duration.seconds(600)

    /// The engine refuses a body that is not the one that was sent (RFC 1864).
    private static func md5Field(_ body: [UInt8]) -> (name: String, value: String) {
        (name: "content-md5", value: Base64.string(Digest.md5(body)))
    }

    func put(_ key: String, _ body: [UInt8]) async throws(EngineError) {
        var request = Request("PUT", key)
        request.fields = [Self.md5Field(body)]
        request.body = body
        _ = try await call(request)
    }

    /// Bytes of an object from `start` on, up to but without `end`; all of them where both are nil. With `etag` only of that
    /// object.
    func get(
        _ key: String, from start: UInt64? = nil, to end: UInt64? = nil, etag: String? = nil
    ) async throws(EngineError) -> StreamResponse {
        var request = Request("GET", key)
        if let start {
            request.fields.append((name: "range", value: "bytes=\(start)-\(end.map { "\($0 &- 1)" } ?? "")"))
        }
        if let etag { request.fields.append((name: "if-match", value: etag)) }
        return try await open(request)
    }

    /// The length of an object in bytes; nil where it is not there. `isTriedOnce`: an answer within some seconds, or none.
    func length(of key: String, isTriedOnce: Bool = false) async throws(EngineError) -> UInt64? {
        do throws(EngineError) {
            var request = Request("HEAD", key)
            request.isTriedOnce = isTriedOnce
            if isTriedOnce { request.idleTimeout = .seconds(3) }
            let answer = try await call(request)
            return answer.head.header("content-length").flatMap { Ascii.decimal($0.utf8) }
        } catch {
            if error.isNoSuchKey { return nil }
            throw error
        }
    }

    func delete(_ key: String) async throws(EngineError) { _ = try await call(Request("DELETE", key)) }

    /// Deletes up to 1,000 objects. Returns the keys that are gone. API/DeleteObjects.
    func delete(_ keys: [String]) async throws(EngineError) -> Set<String> {
        var xml = XMLWriter()
        xml.open("Delete")
        for key in keys {
            xml.open("Object")
            xml.element("Key", key)
            xml.close("Object")
        }
        xml.close("Delete")
        var request = Request("POST", "")
        request.query = [(name: "delete", value: "")]
        request.body = xml.bytes
        request.fields = [Self.md5Field(xml.bytes), (name: "content-type", value: "application/xml")]
        let root = try Self.document(try await call(request).body, "DeleteResult")
        return Set(root.children("Deleted").compactMap { $0.text(of: "Key").map { String(ascii: $0) } })
    }

    func copy(_ source: String, to target: String) async throws(EngineError) {
        var request = Request("PUT", target)
        request.fields = [(name: "x-amz-copy-source", value: "/\(address.bucket)/\(source)")]
        request.body = []
        request.idleTimeout = Self.longTimeout
        _ = try Self.document(try await call(request).body, "CopyObjectResult")
    }

    /// One page of the objects whose keys begin with `prefix`, in order of key, and where the next begins. API/ListObjectsV2.
    func list(
        prefix: String, from token: String?, limit: Int = 1000
    ) async throws(EngineError) -> (objects: [EngineObject], next: String?) {
        var request = Request("GET", "")
        request.query = [(name: "list-type", value: "2"), (name: "max-keys", value: "\(limit)")]
        if let token { request.query.append((name: "continuation-token", value: token)) }
        request.query.append((name: "prefix", value: prefix))
        let root = try Self.document(try await call(request).body, "ListBucketResult")
        let objects = root.children("Contents").compactMap { element -> EngineObject? in
            guard let key = element.text(of: "Key") else { return nil }
            return EngineObject(
                key: String(ascii: key),
                modified: element.text(of: "LastModified").flatMap { DateFormats.parseISO8601($0) })
        }
        let isCut = root.text(of: "IsTruncated").map { $0.elementsEqual("true".utf8) } ?? false
        let next = root.text(of: "NextContinuationToken").map { String(ascii: $0) }
        return (objects, isCut ? next : nil)
    }

    // MARK: Multipart

    func createUpload(_ key: String) async throws(EngineError) -> String {
        var request = Request("POST", key)
        request.query = [(name: "uploads", value: "")]
        request.body = []
        let root = try Self.document(try await call(request).body, "InitiateMultipartUploadResult")
        guard let id = root.text(of: "UploadId"), !id.isEmpty else { throw .malformed("no UploadId") }
        return String(decoding: id, as: UTF8.self)
    }

    /// Returns the part's ETag as it came. `number` is 1...10000.
    func putPart(_ key: String, upload: String, number: Int, _ body: [UInt8]) async throws(EngineError) -> String {
        var request = Request("PUT", key)
        request.query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload)]
        request.fields = [Self.md5Field(body)]
        request.body = body
        guard let etag = try await call(request).head.header("etag") else { throw .malformed("a part without ETag") }
        return etag
    }

    /// `etags` are those of the parts from 1 on; `size` is what the object must have then, in bytes.
    func complete(
        _ key: String, upload: String, etags: [String], size: UInt64
    ) async throws(EngineError) {
        var xml = XMLWriter()
        xml.open("CompleteMultipartUpload")
        for (index, etag) in etags.enumerated() {
            xml.open("Part")
            xml.element("PartNumber", "\(index + 1)")
            xml.element("ETag", etag)
            xml.close("Part")
        }
        xml.close("CompleteMultipartUpload")
        var request = Request("POST", key)
        request.query = [(name: "uploadId", value: upload)]
        request.body = xml.bytes
        request.fields = [(name: "content-type", value: "application/xml")]
        request.idleTimeout = Self.longTimeout
        do throws(EngineError) {
            _ = try Self.document(try await call(request).body, "CompleteMultipartUploadResult")
        } catch {
            // An answer that was lost on its way is repeated, and finds no upload: the object is there then.
            guard case .refused(_, "NoSuchUpload") = error, try await length(of: key) == size else { throw error }
        }
    }

    func abort(_ key: String, upload: String) async throws(EngineError) {
        var request = Request("DELETE", key)
        request.query = [(name: "uploadId", value: upload)]
        _ = try await call(request)
    }

    /// Keys and ids of uploads that were begun before `moment` and never ended, at most 1,000. API/ListMultipartUploads.
    func uploads(
        prefix: String, before moment: Timestamp
    ) async throws(EngineError) -> [(key: String, upload: String)] {
        var request = Request("GET", "")
        request.query = [(name: "prefix", value: prefix), (name: "uploads", value: "")]
        let root = try Self.document(try await call(request).body, "ListMultipartUploadsResult")
        return root.children("Upload").compactMap { element in
            guard let key = element.text(of: "Key"), let id = element.text(of: "UploadId"),
                let begun = element.text(of: "Initiated").flatMap({ DateFormats.parseISO8601($0) }), begun < moment
            else { return nil }
            return (String(ascii: key), String(decoding: id, as: UTF8.self))
        }
    }
}
