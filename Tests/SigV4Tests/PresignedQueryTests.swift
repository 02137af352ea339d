import Bytes
import HTTPServer
import SigV4
import Testing

@Suite struct PresignedQueryTests {
    /// AWS, "Authenticating Requests: Using Query Parameters".
    private let published =
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        + "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

    private func head(_ target: String, _ fields: [(String, String)] = []) throws -> RequestHead {
        try Example.head("GET", target, [("Host", Example.host)] + fields)
    }

    private func replacing(_ part: String, by other: String) -> String {
        let pieces = published.split(separator: "&", omittingEmptySubsequences: false).map(String.init)
        return pieces.map { $0.hasPrefix(part + "=") || $0.hasSuffix("?" + part) ? other : $0 }.joined(separator: "&")
    }

    @Test func `the published URL verifies`() throws {
        let head = try head(published)
        #expect(try SignedRequest.parse(head: head)?.form == .query)
        #expect(try verify(head).mode == .unsigned)
    }

    @Test func `it holds until it expires, to the second`() throws {
        try verify(head(published), now: Timestamp(seconds: 1_369_353_600 + 86_400))
        let late = Timestamp(milliseconds: (1_369_353_600 + 86_400) * 1000 + 1)
        #expect(
            failure(try head(published), now: late)
                == .expired(at: Timestamp(seconds: 1_369_353_600 + 86_400), expires_s: 86_400, serverTime: late))
    }

    @Test func `it does not hold before its time, skew allowed`() throws {
        try verify(head(published), now: Timestamp(seconds: 1_369_353_600 - 900))
        let early = Timestamp(seconds: 1_369_353_600 - 901)
        #expect(
            failure(try head(published), now: early) == .notYetValid(validFrom: Example.now, serverTime: early))
    }

    @Test(arguments: ["0", "-1", "604801", "", "x", "99999999999999999999"])
    func `an expiry outside one second to a week is refused`(_ expires: String) throws {
        #expect(isMalformed(failure(try head(replacing("X-Amz-Expires", by: "X-Amz-Expires=\(expires)")))))
    }

    @Test(arguments: [
        "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
    ])
    func `every parameter is needed, and none may come twice`(_ name: String) throws {
        #expect(isMalformed(failure(try head(replacing(name, by: "other=1")))))
        #expect(failure(try head(published + "&\(name)=1")) == .doubledCredentials)
        #expect(failure(try head(published + "&\(name.lowercased())=1")) == .doubledCredentials)
        #expect(failure(try head(published + "&%58\(name.dropFirst())=1")) == .doubledCredentials)
    }

    @Test func `a changed parameter, path or host does not match`() throws {
        #expect(isMismatch(failure(try head(replacing("X-Amz-Expires", by: "X-Amz-Expires=86401")))))
        #expect(isMismatch(failure(try head(published + "&versionId=1"))))
        #expect(isMismatch(failure(try head("/other" + published.dropFirst(9)))))
        #expect(isMismatch(failure(try Example.head("PUT", published, [("Host", Example.host)]))))
        #expect(isMismatch(failure(try Example.head("GET", published, [("Host", "elsewhere")]))))
        #expect(isMismatch(failure(try head(replacing("X-Amz-Signature", by: "X-Amz-Signature=00")))))
    }

    @Test func `an unsigned x-amz field does not turn it into another request`() throws {
        #expect(
            failure(try head(published, [("x-amz-copy-source", "/b/k")])) == .headersNotSigned("x-amz-copy-source"))
    }

    @Test func `an algorithm other than HMAC-SHA256 is refused`() throws {
        let other = published.replacing(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256", with: "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256")
        #expect(isMalformed(failure(try head(other))))
    }

    @Test func `signature version 2 in the query is named as such`() throws {
        #expect(failure(try head("/k?AWSAccessKeyId=a&Expires=1&Signature=b")) == .signatureVersion2)
        #expect(try SignedRequest.parse(head: head("/k?Signature=b")) == nil)
    }

    @Test func `the region of the credential is checked`() throws {
        #expect(
            failure(try head(published), region: "eu-west-1")
                == .wrongRegion(.query, presented: "us-east-1", expected: "eu-west-1"))
    }

    @Test func `a digest in the query or a signed field is part of what is signed`() throws {
        let signer = Example.signer
        let hash = bytes(Example.emptyHash)
        let withQuery = try #require(
            signer.presign(
                method: "PUT", host: bytes("h"), path: bytes("/k"),
                query: bytes("X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"), expires_s: 10, at: Example.now))
        let head = try #require(
            RequestHead.make(method: "PUT", target: withQuery, fields: [(bytes("host"), bytes("h"))]))
        #expect(try verify(head).mode == .unsigned)
        let field = (name: bytes("x-amz-content-sha256"), value: hash)
        let target = try #require(
            signer.presign(
                method: "PUT", host: bytes("h"), path: bytes("/k"), fields: [field], expires_s: 10, at: Example.now))
        let other = try #require(
            RequestHead.make(method: "PUT", target: target, fields: [(bytes("host"), bytes("h")), field]))
        // The signer's canonical request says UNSIGNED-PAYLOAD, the field says otherwise.
        #expect(isMismatch(failure(other)))
    }
}
