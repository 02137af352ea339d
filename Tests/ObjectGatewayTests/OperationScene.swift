import Bytes
import Digests
import HTTPServer
import JSON
import Metadata
import Testing

@testable import ObjectGateway

/// A gateway in a state in which every operation of the table has something to do, and a request for each.
struct OperationScene: Sendable {
    let fixture: GatewayFixture
    private let upload: String
    private let partETag: String

    init() async throws {
        fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.makeBucket("empty")
        try await fixture.put("key", bytes("content"), headers: [("x-amz-tagging", "a=1")])
        upload = try await fixture.createUpload("upload-key")
        let bucket = try await fixture.bucket()
        try await fixture.store.configure(bucket.id, .tags, with: bytes(Self.tags))
        try await fixture.store.configure(bucket.id, .cors, with: bytes(Self.cors))
        try await fixture.store.configure(bucket.id, .policy, with: bytes(Self.policy))
        partETag = try await fixture.putPart(1, of: upload, key: "upload-key", bytes("part")).etag
    }

    /// A request that the operation carries out. Fails for an operation that has none here yet.
    func request(_ operation: String) throws -> TestRequest {
        let uploadQuery = "uploadId=\(upload)"
        switch operation {
        case "ListBuckets": return TestRequest(method: "GET", path: "/")
        case "CreateBucket": return TestRequest(method: "PUT", path: "/created")
        case "HeadBucket": return TestRequest(method: "HEAD", path: "/bucket")
        case "DeleteBucket": return TestRequest(method: "DELETE", path: "/empty")
        case "GetBucketLocation": return TestRequest(method: "GET", path: "/bucket", query: "location")
        case "GetBucketVersioning": return TestRequest(method: "GET", path: "/bucket", query: "versioning")
        case "PutBucketVersioning":
            return document(
                "PUT", "/bucket", "versioning",
                "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
        case "GetBucketNotificationConfiguration":
            return TestRequest(method: "GET", path: "/bucket", query: "notification")
        case "PutBucketNotificationConfiguration":
            return document("PUT", "/bucket", "notification", "<NotificationConfiguration/>")
        case "PutBucketTagging": return document("PUT", "/bucket", "tagging", Self.tags)
        case "GetBucketTagging", "DeleteBucketTagging", "GetBucketCors", "DeleteBucketCors":
            return TestRequest(
                method: operation.hasPrefix("Get") ? "GET" : "DELETE", path: "/bucket",
                query: operation.hasSuffix("Cors") ? "cors" : "tagging")
        case "GetBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicyStatus", "GetPublicAccessBlock",
            "DeletePublicAccessBlock":
            let parameter =
                operation.hasSuffix("Block")
                ? "publicAccessBlock" : operation.hasSuffix("Status") ? "policyStatus" : "policy"
            return TestRequest(
                method: operation.hasPrefix("Get") ? "GET" : "DELETE", path: "/bucket", query: parameter)
        case "PutBucketPolicy": return document("PUT", "/bucket", "policy", Self.policy)
        case "PutPublicAccessBlock":
            return document("PUT", "/bucket", "publicAccessBlock", "<PublicAccessBlockConfiguration/>")
        case "PutBucketCors": return document("PUT", "/bucket", "cors", Self.cors)
        case "ListObjects": return TestRequest(method: "GET", path: "/bucket")
        case "ListObjectsV2": return TestRequest(method: "GET", path: "/bucket", query: "list-type=2")
        case "ListObjectVersions": return TestRequest(method: "GET", path: "/bucket", query: "versions")
        case "PutObject": return TestRequest(method: "PUT", path: "/bucket/new", body: bytes("new content"))
        case "GetObject": return TestRequest(method: "GET", path: "/bucket/key")
        case "HeadObject": return TestRequest(method: "HEAD", path: "/bucket/key")
        case "DeleteObject": return TestRequest(method: "DELETE", path: "/bucket/key")
        case "DeleteObjects":
            // Where a bucket has a policy each key has an answer of its own, and the request none.
            return document("POST", "/empty", "delete", "<Delete><Object><Key>key</Key></Object></Delete>")
        case "CopyObject":
            return TestRequest(method: "PUT", path: "/bucket/copy", headers: [("x-amz-copy-source", "bucket/key")])
        case "GetObjectAttributes":
            return TestRequest(
                method: "GET", path: "/bucket/key", query: "attributes",
                headers: [("x-amz-object-attributes", "ETag")])
        case "GetObjectTagging": return TestRequest(method: "GET", path: "/bucket/key", query: "tagging")
        case "PutObjectTagging":
            return document(
                "PUT", "/bucket/key", "tagging",
                "<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag></TagSet></Tagging>")
        case "DeleteObjectTagging": return TestRequest(method: "DELETE", path: "/bucket/key", query: "tagging")
        case "CreateMultipartUpload": return TestRequest(method: "POST", path: "/bucket/other", query: "uploads")
        case "UploadPart":
            return TestRequest(
                method: "PUT", path: "/bucket/upload-key", query: "partNumber=2&\(uploadQuery)", body: bytes("more"))
        case "UploadPartCopy":
            return TestRequest(
                method: "PUT", path: "/bucket/upload-key", query: "partNumber=2&\(uploadQuery)",
                headers: [("x-amz-copy-source", "bucket/key")])
        case "ListParts": return TestRequest(method: "GET", path: "/bucket/upload-key", query: uploadQuery)
        case "CompleteMultipartUpload":
            return document(
                "POST", "/bucket/upload-key", uploadQuery,
                """
                <CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\(partETag)</ETag></Part>\
                </CompleteMultipartUpload>
                """)
        case "AbortMultipartUpload":
            return TestRequest(method: "DELETE", path: "/bucket/upload-key", query: uploadQuery)
        case "ListMultipartUploads": return TestRequest(method: "GET", path: "/bucket", query: "uploads")
        default:
            if let unset = UnsetConfiguration.all.first(where: { $0.route.name.description == operation }) {
                return TestRequest(
                    method: unset.route.method.name.description,
                    path: unset.route.scope == .bucket ? "/bucket" : "/bucket/key",
                    query: unset.route.parameters.map(\.description).joined(separator: "&"))
            }
            Issue.record("\(operation) is not in the matrix of signatures and rights")
            throw MissingOperation(name: operation)
        }
    }

    private static let tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>"
    /// Says nothing of anybody whom the tests know.
    private static let policy = """
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/nobody"},\
         "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]}
        """
    private static let cors = """
        <CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>\
        </CORSConfiguration>
        """

    /// Answers as where nothing was ever set, often with a 404 of its own.
    static func isUnset(_ operation: String) -> Bool {
        UnsetConfiguration.all.contains { $0.route.name.description == operation }
    }

    private struct MissingOperation: Error {
        var name: String
    }

    private func document(_ method: String, _ path: String, _ query: String, _ xml: String) -> TestRequest {
        TestRequest(
            method: method, path: path, query: query,
            headers: [("content-md5", Base64.string(Digest.md5(bytes(xml))))], body: bytes(xml))
    }
}

extension GatewayFixture {
    /// Begins an upload, and returns its id.
    func createUpload(_ key: String = "key", headers: [(String, String)] = []) async throws -> String {
        let answer = try await send("POST", wirePath("bucket", key), "uploads", headers: headers)
        return try #require(try answer.xml("InitiateMultipartUploadResult").string("UploadId"))
    }

    func putPart(
        _ number: Int, of upload: String, key: String = "key", _ body: [UInt8], headers: [(String, String)] = []
    ) async throws -> Answer {
        let answer = try await send(
            "PUT", wirePath("bucket", key), "partNumber=\(number)&uploadId=\(upload)", headers: headers, body: body)
        try #require(answer.status == 200, "\(answer)")
        return answer
    }

    /// `parts` are numbers, ETags and further elements, in the order of the document.
    func complete(
        _ upload: String, _ key: String = "key", _ parts: [(Int, String, String)], headers: [(String, String)] = []
    ) async throws -> Answer {
        let listed = parts.map { "<Part><PartNumber>\($0.0)</PartNumber><ETag>\($0.1)</ETag>\($0.2)</Part>" }
        return try await send(
            "POST", wirePath("bucket", key), "uploadId=\(upload)", headers: headers,
            body: bytes("<CompleteMultipartUpload>\(listed.joined())</CompleteMultipartUpload>"))
    }

    /// Stores an object of these parts.
    @discardableResult
    func putMultipart(
        _ key: String = "key", _ parts: [[UInt8]], headers: [(String, String)] = []
    ) async throws -> Answer {
        let upload = try await createUpload(key, headers: headers)
        var listed: [(Int, String, String)] = []
        for (index, part) in parts.enumerated() {
            listed.append((index + 1, try await putPart(index + 1, of: upload, key: key, part).etag, ""))
        }
        let answer = try await complete(upload, key, listed)
        try #require(answer.status == 200, "\(answer)")
        return answer
    }
}

/// The smallest size of a part but the last, in bytes.
let partSizeMin = 5 << 20

/// `count` bytes that differ by seed; a block of a prime length, over and over.
func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    var state = UInt32(seed) &* 2_654_435_761 | 1
    let block = (0..<8191).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 16)
    }
    var out: [UInt8] = []
    out.reserveCapacity(count + block.count)
    while out.count < count { out += block }
    return [UInt8](out.prefix(count))
}
