import Bytes
import Digests
import Metadata
import Policies
import Testing
import XML

@testable import ObjectGateway

@Suite struct BucketPolicyTests {
    /// Lets everyone, or `principal`, do `action` with everything in the bucket.
    private static func policy(
        _ action: String, effect: String = "Allow", principal: String = "\"*\"", resource: String = "bucket/*",
        condition: String = ""
    ) -> String {
        """
        {"Version": "2012-10-17", "Statement": [{"Sid": "one", "Effect": "\(effect)", "Principal": \(principal),
         "Action": \(action), "Resource": "arn:aws:s3:::\(resource)"\(condition.isEmpty ? "" : ", \"Condition\": \(condition)")}]}
        """
    }

    /// A bucket with an object, which is open to public policies.
    private func scene(_ policy: String? = nil) async throws -> GatewayFixture {
        let fixture = try await GatewayFixture(versioning: .enabled)
        try await fixture.put("key", bytes("content"), headers: [("x-amz-tagging", "team=red")])
        #expect(try await fixture.send("DELETE", "/bucket", "publicAccessBlock").status == 204)
        if let policy { try await set(policy, fixture) }
        return fixture
    }

    private func set(_ policy: String, _ fixture: GatewayFixture) async throws {
        let answer = try await fixture.send("PUT", "/bucket", "policy", body: bytes(policy))
        #expect(answer.status == 204, "\(answer)")
    }

    @Test func `a policy is answered as it was sent, is replaced, and goes`() async throws {
        let fixture = try await scene()
        #expect(try await fixture.send("GET", "/bucket", "policy").code == "NoSuchBucketPolicy")
        for action in ["\"s3:GetObject\"", "\"s3:PutObject\""] {
            let policy = Self.policy(action)
            try await set(policy, fixture)
            let got = try await fixture.send("GET", "/bucket", "policy")
            #expect(got.text == policy && got["content-type"] == "application/json", "\(got)")
        }
        #expect(try await fixture.send("DELETE", "/bucket", "policy").status == 204)
        #expect(try await fixture.send("GET", "/bucket", "policy").code == "NoSuchBucketPolicy")
    }

    @Test func `who sends no signature may do what a policy lets everyone do, and nothing else`() async throws {
        let fixture = try await scene()
        func status(_ method: String, _ path: String, _ query: String = "", body: [UInt8] = []) async throws -> Int {
            try await fixture.send(method, path, query, body: body, signedBy: nil).status
        }
        #expect(try await status("GET", "/bucket/key") == 403)
        try await set(Self.policy("\"s3:GetObject\""), fixture)
        #expect(try await status("GET", "/bucket/key") == 200)
        #expect(try await status("HEAD", "/bucket/key") == 200)
        // Whether it is there is told to those only who may list.
        #expect(try await status("GET", "/bucket/missing") == 403)
        for (method, path, query) in [
            ("PUT", "/bucket/new", ""), ("DELETE", "/bucket/key", ""), ("GET", "/bucket", ""), ("GET", "/", ""),
            ("GET", "/bucket", "policy"), ("PUT", "/bucket", "policy"), ("GET", "/bucket/key", "tagging"),
            ("GET", "/other/key", ""), ("PUT", "/bucket", ""), ("POST", "/bucket/key", "uploads"),
        ] {
            #expect(try await status(method, path, query) == 403, "\(method) \(path)?\(query)")
        }
        let version = try await fixture.send("HEAD", "/bucket/key").version
        #expect(try await status("GET", "/bucket/key", "versionId=\(version)") == 403)
        try await set(
            Self.policy(#"["s3:GetObject", "s3:ListBucket"]"#).replacing(
                "\"arn:aws:s3:::bucket/*\"", with: #"["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]"#), fixture)
        #expect(try await status("GET", "/bucket/missing") == 404)
        try await set(Self.policy("\"s3:GetObjectVersion\""), fixture)
        #expect(try await status("GET", "/bucket/key", "versionId=\(version)") == 200)
        #expect(try await status("GET", "/bucket/key") == 403)
    }

    @Test func `what is put without a signature belongs to the bucket's owner`() async throws {
        let fixture = try await scene(Self.policy(#"["s3:PutObject", "s3:DeleteObject"]"#))
        let put = try await fixture.send("PUT", "/bucket/new", body: bytes("x"), signedBy: nil)
        #expect(put.status == 200, "\(put)")
        let versions = try await fixture.send("GET", "/bucket", "versions&prefix=new").text
        #expect(versions.contains("<ID>\(TestUser.admin.name)</ID>"), "\(versions)")
        #expect(try await fixture.send("DELETE", "/bucket/new", signedBy: nil).status == 204)
        // Tags need a right of their own.
        let tagged = try await fixture.send(
            "PUT", "/bucket/new", headers: [("x-amz-tagging", "a=b")], body: bytes("x"), signedBy: nil)
        #expect(tagged.status == 403, "\(tagged)")
    }

    @Test func `what a policy denies is denied to whoever may otherwise do everything`() async throws {
        let fixture = try await scene(Self.policy("\"s3:DeleteObject*\"", effect: "Deny"))
        #expect(try await fixture.send("DELETE", "/bucket/key").code == "AccessDenied")
        let version = try await fixture.send("HEAD", "/bucket/key").version
        #expect(try await fixture.send("DELETE", "/bucket/key", "versionId=\(version)").code == "AccessDenied")
        let many = try await fixture.send(
            "POST", "/bucket", "delete", body: bytes("<Delete><Object><Key>key</Key></Object></Delete>"))
        #expect(many.status == 200 && many.text.contains("<Code>AccessDenied</Code>"), "\(many)")
        #expect(try await fixture.send("GET", "/bucket/key").status == 200)
    }

    @Test func `each key of a multiple deletion is judged by itself`() async throws {
        let fixture = try await scene(Self.policy("\"s3:DeleteObject\"", resource: "bucket/tmp/*"))
        try await fixture.put("tmp/a", bytes("a"))
        let keys = bytes("<Delete><Object><Key>tmp/a</Key></Object><Object><Key>key</Key></Object></Delete>")
        let answer = try await fixture.send(
            "POST", "/bucket", "delete", headers: [("content-md5", Base64.string(Digest.md5(keys)))], body: keys,
            signedBy: nil)
        #expect(answer.status == 200, "\(answer)")
        let root = try answer.xml("DeleteResult")
        #expect(root.children("Deleted").map { $0.string("Key") } == ["tmp/a"])
        #expect(root.children("Error").map { $0.string("Key") } == ["key"])
        #expect(try await fixture.send("GET", "/bucket/key").status == 200)
    }

    @Test func `a policy lets a user do what the own policy does not, by the user's name`() async throws {
        let principal = #"{"AWS": "arn:aws:iam::000000000000:user/\#(TestUser.readonly.name)"}"#
        let fixture = try await scene(Self.policy("\"s3:PutObject\"", principal: principal))
        #expect(try await fixture.send("PUT", "/bucket/new", body: bytes("x"), signedBy: .readonly).status == 200)
        #expect(try await fixture.send("DELETE", "/bucket/new", signedBy: .readonly).status == 403)
        #expect(try await fixture.send("PUT", "/bucket/new", body: bytes("x"), signedBy: nil).status == 403)
        #expect(try await fixture.send("GET", "/bucket/new", signedBy: .writeonly).status == 403)
    }

    @Test func `a copy needs the right to read its source, as the source's bucket has it`() async throws {
        let fixture = try await scene(Self.policy("\"s3:GetObject\"", effect: "Deny", resource: "bucket/key"))
        try await fixture.makeBucket("target")
        let missing = [("x-amz-copy-source", "bucket/missing")]
        #expect(try await fixture.send("PUT", "/target/copy", headers: missing).code == "NoSuchKey")
        try await set(Self.policy("\"s3:ListBucket\"", effect: "Deny", resource: "bucket"), fixture)
        #expect(try await fixture.send("PUT", "/target/copy", headers: missing).code == "AccessDenied")
        try await set(Self.policy("\"s3:GetObject\"", effect: "Deny", resource: "bucket/key"), fixture)
        let headers = [("x-amz-copy-source", "bucket/key")]
        #expect(try await fixture.send("PUT", "/target/copy", headers: headers).code == "AccessDenied")
        #expect(try await fixture.send("DELETE", "/bucket", "policy").status == 204)
        #expect(try await fixture.send("PUT", "/target/copy", headers: headers).status == 200)
    }

    @Test(arguments: [
        (#"{"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}"#, true),
        (#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, false),
        (#"{"Bool": {"aws:SecureTransport": "true"}}"#, false),
        (#"{"Bool": {"aws:SecureTransport": "false"}}"#, true),
        (#"{"StringLike": {"aws:Referer": "https://app.example.com/*"}}"#, true),
        (#"{"StringLike": {"aws:Referer": "https://other.example.com/*"}}"#, false),
        (#"{"StringEquals": {"s3:ExistingObjectTag/team": "red"}}"#, true),
        (#"{"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}"#, false),
        (#"{"StringEquals": {"aws:username": "bob"}}"#, false),
        (#"{"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}"#, true),
        (#"{"Null": {"s3:authType": "true"}}"#, true), (#"{"StringEquals": {"s3:if-match": "*"}}"#, true),
        (#"{"StringEquals": {"s3:if-match": "x"}}"#, false),
    ])
    func `conditions look at the request and at the object`(condition: String, isAllowed: Bool) async throws {
        let fixture = try await scene(Self.policy("\"s3:GetObject\"", condition: condition))
        let answer = try await fixture.send(
            "GET", "/bucket/key", headers: [("referer", "https://app.example.com/page"), ("if-match", "*")],
            signedBy: nil)
        #expect((answer.status == 200) == isAllowed, "\(answer)")
    }

    @Test func `listings can be allowed below a prefix only`() async throws {
        let fixture = try await scene(
            Self.policy(
                "\"s3:ListBucket\"", resource: "bucket", condition: #"{"StringEquals": {"s3:prefix": "open/"}}"#))
        #expect(try await fixture.send("GET", "/bucket", "prefix=open/", signedBy: nil).status == 200)
        #expect(try await fixture.send("GET", "/bucket", "list-type=2&prefix=open%2F", signedBy: nil).status == 200)
        #expect(try await fixture.send("GET", "/bucket", "", signedBy: nil).status == 403)
        #expect(try await fixture.send("GET", "/bucket", "prefix=closed/", signedBy: nil).status == 403)
    }

    @Test func `tags that are put are judged before they are there`() async throws {
        let fixture = try await scene(
            Self.policy(
                "\"s3:PutObjectTagging\"", condition: #"{"StringEquals": {"s3:RequestObjectTag/team": "blue"}}"#))
        func put(_ team: String) async throws -> Int {
            try await fixture.send(
                "PUT", "/bucket/key", "tagging",
                body: bytes("<Tagging><TagSet><Tag><Key>team</Key><Value>\(team)</Value></Tag></TagSet></Tagging>"),
                signedBy: nil
            ).status
        }
        #expect(try await put("green") == 403)
        #expect(try await put("blue") == 200)
        #expect(try await fixture.send("GET", "/bucket/key", "tagging").text.contains("blue"))
    }

    @Test func `a public policy is refused while public access is blocked, and counts for nothing where restricted`()
        async throws
    {
        let fixture = try await GatewayFixture()
        try await fixture.put("key", bytes("content"))
        let answer = try await fixture.send("PUT", "/bucket", "policy", body: bytes(Self.policy("\"s3:GetObject\"")))
        #expect(answer.status == 403 && answer.code == "AccessDenied" && answer.text.contains("BlockPublicPolicy"))
        let shown = try await fixture.send("GET", "/bucket", "publicAccessBlock")
        #expect(try shown.xml("PublicAccessBlockConfiguration").string("RestrictPublicBuckets") == "true", "\(shown)")
        #expect(try await fixture.send("DELETE", "/bucket", "publicAccessBlock").status == 204)
        #expect(
            try await fixture.send("GET", "/bucket", "publicAccessBlock").code == "NoSuchPublicAccessBlockConfiguration"
        )
        try await set(Self.policy("\"s3:GetObject\""), fixture)
        #expect(try await fixture.send("GET", "/bucket/key", signedBy: nil).status == 200)
        let block = """
            <PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>\
            </PublicAccessBlockConfiguration>
            """
        #expect(try await fixture.send("PUT", "/bucket", "publicAccessBlock", body: bytes(block)).status == 200)
        #expect(try await fixture.send("GET", "/bucket/key", signedBy: nil).status == 403)
        #expect(try await fixture.send("GET", "/bucket/key", signedBy: .readonly).status == 200)
    }

    @Test(arguments: [
        ("{", "contains invalid Json"), ("[]", "first byte must be '{'"), (#"{"Statement": []}"#, "Statement is empty"),
        (Self.policy("\"s3:Nothing\""), "invalid action"),
        (Self.policy("\"s3:GetObject\"", resource: "other/*"), "invalid resource"),
        (Self.policy("\"s3:GetObject\"", principal: #"{"AWS": "arn:aws:iam::1:user/x"}"#), "Invalid principal"),
        (Self.policy("\"s3:GetObject\"", effect: "Maybe"), "Invalid effect"),
        (String(repeating: " ", count: 20 * 1024) + "{}", "maximum allowed size"),
    ])
    func `a policy that cannot be read is MalformedPolicy, and the former one stays`(
        policy: String, reason: String
    ) async throws {
        let former = Self.policy("\"s3:GetObject\"")
        let fixture = try await scene(former)
        let answer = try await fixture.send("PUT", "/bucket", "policy", body: bytes(policy))
        #expect(answer.status == 400 && answer.code == "MalformedPolicy", "\(answer)")
        #expect(answer.detail("Message")?.contains(reason) == true, "\(answer)")
        #expect(try await fixture.send("GET", "/bucket", "policy").text == former)
    }

    @Test func `a stored policy that cannot be read lets nobody in but the account, who can replace it`() async throws {
        let fixture = try await scene()
        let root = TestUser.root
        _ = try await fixture.users.add(
            name: root.name, accessKey: root.accessKey, secret: root.secret, policy: root.policy, customer: nil)
        try await fixture.store.configure(try await fixture.bucket().id, .policy, with: bytes("{broken"))
        #expect(try await fixture.send("GET", "/bucket/key").code == "AccessDenied")
        #expect(try await fixture.send("GET", "/bucket/key", signedBy: nil).status == 403)
        #expect(try await fixture.send("DELETE", "/bucket", "policy").status == 403)
        #expect(try await fixture.send("DELETE", "/bucket", "policy", signedBy: .root).status == 204)
        #expect(try await fixture.send("GET", "/bucket/key").status == 200)
    }
}
