import Bytes
import SigV4
import Testing

/// AWS, "Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)": the published policy.
@Suite struct PostPolicySignatureTests {
    private let policy = Base64.encode(
        bytes(
            [
                "{ \"expiration\": \"2015-12-30T12:00:00.000Z\",",
                "  \"conditions\": [",
                "    {\"bucket\": \"sigv4examplebucket\"},",
                "    [\"starts-with\", \"$key\", \"user/user1/\"],",
                "    {\"acl\": \"public-read\"},",
                "    {\"success_action_redirect\": \"http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\"},",
                "    [\"starts-with\", \"$Content-Type\", \"image/\"],",
                "    {\"x-amz-meta-uuid\": \"14365123651274\"},",
                "    {\"x-amz-server-side-encryption\": \"AES256\"},",
                "    [\"starts-with\", \"$x-amz-meta-tag\", \"\"],",
                "",
                "    {\"x-amz-credential\": \"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},",
                "    {\"x-amz-algorithm\": \"AWS4-HMAC-SHA256\"},",
                "    {\"x-amz-date\": \"20151229T000000Z\" }",
                "  ]",
                "}",
            ].joined(separator: "\r\n")))
    private let signature = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"

    private func parsed(
        algorithm: String = "AWS4-HMAC-SHA256",
        credential: String = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
        date: String = "20151229T000000Z",
        signature: String? = nil, policy: [UInt8]? = nil
    ) throws(SignatureError) -> PostPolicySignature {
        try PostPolicySignature.parse(
            algorithm: bytes(algorithm), credential: bytes(credential), date: bytes(date),
            signature: bytes(signature ?? self.signature), policy: policy ?? self.policy)
    }

    @Test func `the published policy verifies`() throws {
        let presented = try parsed()
        #expect(presented.accessKey == Example.accessKey)
        try presented.verify(secret: Example.secret, configuration: SignatureConfiguration())
    }

    @Test func `a changed policy, signature or secret does not`() throws {
        let configuration = SignatureConfiguration()
        var changed = policy
        changed[100] ^= 1
        #expect(throws: SignatureError.self) {
            try parsed(policy: changed).verify(secret: Example.secret, configuration: configuration)
        }
        #expect(throws: SignatureError.self) {
            try parsed(signature: "").verify(secret: Example.secret, configuration: configuration)
        }
        #expect(throws: SignatureError.self) { try parsed().verify(secret: [1], configuration: configuration) }
    }

    @Test func `another algorithm, credential, date or region is refused`() throws {
        #expect(throws: SignatureError.self) { try parsed(algorithm: "AWS4-HMAC-SHA1") }
        #expect(throws: SignatureError.self) { try parsed(credential: "A/20151229/us-east-1/s3") }
        #expect(throws: SignatureError.self) { try parsed(date: "20151230T000000Z") }
        #expect(throws: SignatureError.self) { try parsed(date: "2015-12-29") }
        #expect(throws: SignatureError.wrongRegion(.post, presented: "us-east-1", expected: "eu-west-1")) {
            try parsed().verify(
                secret: Example.secret, configuration: SignatureConfiguration(region: "eu-west-1"))
        }
    }

    @Test func `what the signer makes verifies`() throws {
        let made = Example.signer.signPolicy(bytes("eyJ9"), at: Example.now)
        let presented = try PostPolicySignature.parse(
            algorithm: bytes("AWS4-HMAC-SHA256"), credential: made.credential, date: made.date,
            signature: made.signature, policy: bytes("eyJ9"))
        try presented.verify(secret: Example.secret, configuration: SignatureConfiguration())
    }
}
