import Bytes
import Digests
import HTTPServer
import SigV4
import Testing

@Suite struct Version2RequestTests {
    /// AWS, userguide/RESTAuthentication, "Query string request authentication alternative".
    private let published =
        "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
    private let before = Timestamp(seconds: 1_175_139_620)

    private func head(
        _ target: String, method: String = "GET", _ fields: [(String, String)] = []
    ) throws -> RequestHead {
        try Example.head(method, target, [("Host", "johnsmith.s3.amazonaws.com")] + fields)
    }

    /// What parsing or verifying throws; nil when the request passes.
    private func failure(
        _ head: RequestHead, bucket: String? = "johnsmith", now: Timestamp? = nil
    ) -> SignatureError? {
        do throws(SignatureError) {
            guard let found = try Version2Request.parse(head: head, bucketInHost: bucket.map { bytes($0)[...] }) else {
                return .missingDate
            }
            let configuration = SignatureConfiguration()
            _ = try found.verify(
                secret: Example.secret, head: head, now: now ?? before, configuration: configuration)
            return nil
        } catch { return error }
    }

    /// A target signed over `signedText`, which begins behind the expiry.
    private func target(_ path: String, signing signedText: String, method: String = "GET") -> String {
        let text = "\(method)\n\n\n1175139620\n\(signedText)"
        let signature = String(ascii: Base64.encode(HMAC.sha1(key: Example.secret, bytes(text))))
            .replacing("+", with: "%2B").replacing("=", with: "%3D")
        let joint = path.contains("?") ? "&" : "?"
        return "\(path)\(joint)AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&Signature=\(signature)"
    }

    @Test func `the published URL verifies, for the bucket that the host names`() throws {
        #expect(failure(try head(published)) == nil)
        #expect(isMismatch(failure(try head(published), bucket: nil)))
        #expect(isMismatch(failure(try head(published), bucket: "other")))
        #expect(failure(try head("/johnsmith" + published), bucket: nil) == nil)
    }

    @Test func `it holds until it expires`() throws {
        let late = Timestamp(milliseconds: before.milliseconds + 1)
        #expect(
            failure(try head(published), now: late) == .expired(at: before, expires_s: 0, serverTime: late))
    }

    @Test func `another method, path, expiry, type or field does not match`() throws {
        #expect(isMismatch(failure(try head(published, method: "PUT"))))
        #expect(isMismatch(failure(try head(published.replacing("puppy", with: "kitten")))))
        #expect(isMismatch(failure(try head(published.replacing("1175139620", with: "1175139621")))))
        #expect(isMismatch(failure(try head(published, [("Content-Type", "text/html")]))))
        #expect(isMismatch(failure(try head(published, [("x-amz-copy-source", "/b/k")]))))
        #expect(isMismatch(failure(try head(published.replacing("Npg", with: "npg")))))
    }

    @Test(arguments: ["versionId=1", "tagging", "uploads", "acl", "response-content-type=a/b"])
    func `a parameter that names another request is part of what is signed`(_ parameter: String) throws {
        #expect(isMismatch(failure(try head("\(published)&\(parameter)"))))
        let signed = target("/k?\(parameter)", signing: "/johnsmith/k?\(parameter)")
        #expect(failure(try head(signed)) == nil)
        #expect(failure(try head("\(signed)&\(parameter)")) == .doubledCredentials)
    }

    @Test(arguments: ["attributes", "x-amz-acl=public-read", "retention", "legal-hold", "x"])
    func `a parameter that version 2 does not sign is refused`(_ parameter: String) throws {
        let name = parameter.split(separator: "=").first.map(String.init) ?? ""
        #expect(failure(try head("\(published)&\(parameter)")) == .headersNotSigned(name))
    }

    @Test func `the page of a listing may be chosen`() throws {
        let signed = target("/?list-type=2&prefix=a", signing: "/johnsmith/")
        #expect(failure(try head(signed)) == nil)
    }

    @Test(arguments: ["AWSAccessKeyId", "Expires", "Signature"])
    func `no parameter of the signature may come twice`(_ name: String) throws {
        #expect(failure(try head("\(published)&\(name)=1")) == .doubledCredentials)
    }

    @Test(arguments: ["", "x", "-1", "99999999999999999999"])
    func `an expiry that is no time is refused`(_ expires: String) throws {
        let other = published.replacing("1175139620", with: expires)
        #expect(isMalformed(failure(try head(other))))
    }

    @Test func `credentials in the header beside it are refused`() throws {
        #expect(failure(try head(published, [("Authorization", "AWS a:b")])) == .doubledCredentials)
    }

    @Test func `an unknown key is told from a wrong signature by the caller only`() throws {
        let head = try head(published)
        let found = try #require(try Version2Request.parse(head: head, bucketInHost: bytes("johnsmith")[...]))
        try found.rejectUnknownKey(head: head, now: before, configuration: SignatureConfiguration())
    }

    /// AWS, userguide/RESTAuthentication, "Object GET", of the bucket that the older page names.
    @Test func `the published header verifies near its date, for the bucket that the host names`() throws {
        let fields = [
            ("Date", "Tue, 27 Mar 2007 19:36:42 +0000"),
            ("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:bWq2s1WEIj+Ydj0vQ697zp+IXMU="),
        ]
        let date = Timestamp(seconds: 1_175_024_202)
        #expect(failure(try head("/photos/puppy.jpg", fields), now: date) == nil)
        #expect(isMismatch(failure(try head("/photos/kitten.jpg", fields), now: date)))
        #expect(isMismatch(failure(try head("/photos/puppy.jpg", fields), bucket: "other", now: date)))
        #expect(isMismatch(failure(try head("/photos/puppy.jpg", fields + [("x-amz-acl", "public-read")]), now: date)))
        guard case .requestTimeTooSkewed = failure(try head("/photos/puppy.jpg", fields)) else {
            Issue.record("a date a day off is taken")
            return
        }
    }

    @Test func `an overridden file name that reads like a subresource is refused beside one`() throws {
        let name = "response-content-disposition=x&tagging"
        let both = target("/k?response-content-disposition=x&tagging", signing: "/johnsmith/k?\(name)")
        #expect(failure(try head(both)) == .headersNotSigned("tagging"))
    }
}
