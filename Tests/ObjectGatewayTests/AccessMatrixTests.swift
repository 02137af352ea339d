import HTTPServer
import JSON
import Metadata
import Testing

@testable import ObjectGateway

/// What each canned policy lets its users do, written down once more.
@Suite struct AccessMatrixTests {
    private static let reading: Set = [
        "ListBuckets", "HeadBucket", "GetBucketLocation", "GetBucketVersioning", "GetBucketNotificationConfiguration",
        "GetBucketTagging", "GetBucketCors", "GetBucketPolicy",
        "GetBucketPolicyStatus", "GetPublicAccessBlock",
        "ListObjects", "ListObjectsV2",
        "ListObjectVersions", "GetObject", "HeadObject", "GetObjectAttributes", "GetObjectTagging", "ListParts",
        "ListMultipartUploads",
    ]
    private static let uploading: Set = [
        "GetBucketLocation", "PutObject", "PutObjectTagging", "CreateMultipartUpload", "UploadPart", "ListParts",
        "CompleteMultipartUpload", "AbortMultipartUpload",
    ]

    private static func may(_ policy: CannedPolicy, _ operation: String) -> Bool {
        switch policy {
        case .admin, .readwrite: true
        case .readonly: reading.contains(operation) || OperationScene.isUnset(operation) && operation.hasPrefix("Get")
        case .writeonly: uploading.contains(operation)
        }
    }

    @Test(arguments: CannedPolicy.allCases, OperationTable.shared.entries.map(\.route.name.description))
    func `each policy allows its operations and no others`(policy: CannedPolicy, operation: String) async throws {
        let scene = try await OperationScene()
        let before = try await scene.fixture.snapshot()
        let wire = try scene.request(operation).signed(by: .of(policy))
        let answer = try await scene.fixture.send(wire)
        if Self.may(policy, operation) {
            let isAnswered =
                (200...299).contains(answer.status) || OperationScene.isUnset(operation) && answer.status == 404
            #expect(isAnswered, "\(answer)")
        } else {
            #expect(answer.status == 403, "\(answer)")
            if wire.method != "HEAD" { #expect(answer.code == "AccessDenied") }
            #expect(try await scene.fixture.snapshot() == before)
        }
    }

    @Test func `a copy needs the right to read its source, and the right to write its target`() async throws {
        let scene = try await OperationScene()
        let before = try await scene.fixture.snapshot()
        for operation in ["CopyObject", "UploadPartCopy"] {
            for user in [TestUser.writeonly, .readonly] {
                let answer = try await scene.fixture.send(try scene.request(operation).signed(by: user))
                #expect(answer.code == "AccessDenied", "\(operation) \(user.name)")
            }
        }
        #expect(try await scene.fixture.snapshot() == before)
    }

    @Test func `a refusal tells the client nothing of policies`() async throws {
        let answer = try await GatewayFixture().send("PUT", "/bucket/key", body: bytes("x"), signedBy: .readonly)
        #expect(answer.code == "AccessDenied")
        #expect(!answer.text.contains("policy") && !answer.text.contains("readonly"))
    }
}
