import Bytes
import HTTPServer
import SigV4
import Testing

/// AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
@Suite struct PublishedHeaderExampleTests {
    @Test func `GET object`() throws { #expect(try verify(Example.get()).mode.text == bytes(Example.emptyHash)) }

    @Test(arguments: ["/test%24file.text", "/test$file.text"]) func `PUT object`(_ target: String) throws {
        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        let head = try Example.head(
            "PUT", target,
            [
                ("Host", Example.host), ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-date", Example.date),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("x-amz-content-sha256", hash),
                (
                    "Authorization",
                    Example.authorization(
                        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
                ),
            ])
        #expect(try verify(head).mode == .sha256(try #require(Hex.decode(hash.utf8))))
    }

    @Test(arguments: [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ("/?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ("/?&prefix=%4a&&max-keys=2&", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]) func `GET bucket lifecycle and list objects`(_ target: String, _ signature: String) throws {
        let head = try Example.head(
            "GET", target,
            [
                ("Host", Example.host), ("x-amz-date", Example.date), ("x-amz-content-sha256", Example.emptyHash),
                ("Authorization", Example.authorization("host;x-amz-content-sha256;x-amz-date", signature)),
            ])
        try verify(head)
    }
}

@Suite struct SignedRequestTests {
    private let goodSignature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    private let goodHeaders = "host;range;x-amz-content-sha256;x-amz-date"

    @Test func `a request without credentials is anonymous`() throws {
        let head = try Example.head("GET", "/bucket?list-type=2", [("Host", "h"), ("x-amz-date", "nonsense")])
        #expect(try SignedRequest.parse(head: head) == nil)
    }

    @Test func `the access key is known before anything is believed`() throws {
        let request = try #require(try SignedRequest.parse(head: Example.get()))
        #expect(request.accessKey == Example.accessKey)
        #expect(request.form == .header)
    }

    @Test func `an access key may hold slashes`() throws {
        let signer = Signer(accessKey: "a/b/c".utf8, secret: Example.secret, region: "us-east-1".utf8)
        let signed = try #require(
            signer.sign(
                method: "GET", path: bytes("/k"), fields: [(bytes("host"), bytes("h"))], payload: .unsigned,
                at: Example.now))
        let head = try head("GET", bytes("/k"), signed)
        #expect(try SignedRequest.parse(head: head)?.accessKey == bytes("a/b/c"))
        try verify(head)
    }

    @Test func `a wrong secret, signature, path, query, method or signed field does not match`() throws {
        #expect(isMismatch(failure(try Example.get(), secret: bytes("wrong"))))
        #expect(isMismatch(failure(try Example.get(target: "/test.tx"))))
        #expect(isMismatch(failure(try Example.get(target: "/test.txt?acl"))))
        #expect(isMismatch(failure(try Example.get(range: "bytes=0-8"))))
        #expect(isMismatch(failure(try Example.get(host: "examplebucket.s3.amazonaws.com:443"))))
        for signature in ["", "f0", goodSignature.uppercased(), goodSignature + "0", String(goodSignature.reversed())] {
            let authorization = Example.authorization(goodHeaders, signature)
            #expect(isMismatch(failure(try Example.get(authorization: authorization))), "\(signature)")
        }
        let delete = try Example.head(
            "DELETE", "/test.txt",
            [
                ("Host", Example.host), ("Range", "bytes=0-9"), ("x-amz-content-sha256", Example.emptyHash),
                ("x-amz-date", Example.date), ("Authorization", Example.authorization(goodHeaders, goodSignature)),
            ])
        #expect(isMismatch(failure(delete)))
    }

    @Test func `a mismatch tells what the server signed`() throws {
        guard case .mismatch(let detail) = failure(try Example.get(range: "bytes=1-2")) else {
            Issue.record("no mismatch")
            return
        }
        #expect(
            String(ascii: detail.canonicalRequest)
                == "GET\n/test.txt\n\nhost:\(Example.host)\nrange:bytes=1-2\nx-amz-content-sha256:\(Example.emptyHash)\n"
                + "x-amz-date:\(Example.date)\n\n\(goodHeaders)\n\(Example.emptyHash)")
        #expect(
            String(ascii: detail.stringToSign).hasPrefix(
                "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"))
        #expect(detail.signatureProvided == bytes(goodSignature))
        #expect(detail.accessKey == Example.accessKey)
    }

    @Test(arguments: [
        "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential", "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0, Other=1",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0,",
        "AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws5_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/2013-05-24/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130525/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=Host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;a b, Signature=0",
    ]) func `a malformed Authorization is told apart from a wrong signature`(_ authorization: String) throws {
        #expect(
            isMalformed(
                failure(
                    try Example.head(
                        "GET", "/",
                        [
                            ("Host", "h"), ("x-amz-date", Example.date), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
                            ("Authorization", authorization.trimmingLastSpace),
                        ]))))
    }

    @Test func `other schemes and signature version 2 have errors of their own`() throws {
        #expect(failure(try Example.get(authorization: "AWS AKID:c2ln")) == .signatureVersion2)
        #expect(failure(try Example.get(authorization: "Basic YTpi")) == .unsupportedAuthorizationType)
        #expect(failure(try Example.get(authorization: "Bearer x")) == .unsupportedAuthorizationType)
        #expect(failure(try Example.get(authorization: "")) == .unsupportedAuthorizationType)
        #expect(
            failure(try Example.get(authorization: "AWS4-ECDSA-P256-SHA256 Credential=x"))
                == .unsupportedAuthorizationType)
    }

    @Test func `credentials in header and query at once, or doubled fields, are refused`() throws {
        let authorization = Example.authorization(goodHeaders, goodSignature)
        #expect(
            failure(try Example.get(and: [("Authorization", authorization)])) == .doubledCredentials)
        for query in ["X-Amz-Signature=0", "X-Amz-Algorithm=x", "x-amz-credential=x", "AWSAccessKeyId=a&Signature=b"] {
            #expect(failure(try Example.get(target: "/test.txt?\(query)")) == .doubledCredentials, "\(query)")
        }
        #expect(failure(try Example.get(and: [("X-Amz-Date", Example.date)])) == .doubledCredentials)
        #expect(failure(try Example.get(and: [("HOST", Example.host)])) == .doubledCredentials)
        #expect(
            failure(try Example.get(and: [("x-amz-content-sha256", Example.emptyHash)])) == .doubledCredentials)
    }

    @Test func `a region other than the configured one names the expected one`() throws {
        #expect(
            failure(try Example.get(), region: "eu-central-1")
                == .wrongRegion(.header, presented: "us-east-1", expected: "eu-central-1"))
    }

    @Test func `an x-amz field that was not signed is refused`() throws {
        #expect(
            failure(try Example.get(and: [("X-Amz-Copy-Source", "/a/b"), ("x-amz-meta-a", "1")]))
                == .headersNotSigned("x-amz-copy-source, x-amz-meta-a"))
        let unsignedHash = Example.authorization("host;range;x-amz-date", goodSignature)
        #expect(failure(try Example.get(authorization: unsignedHash)) == .headersNotSigned("x-amz-content-sha256"))
    }

    @Test func `host must be signed, content-type need not be`() throws {
        let withoutHost = Example.authorization("range;x-amz-content-sha256;x-amz-date", goodSignature)
        #expect(failure(try Example.get(authorization: withoutHost)) == .headersNotSigned("host"))
        try verify(Example.get(and: [("Content-Type", "text/plain"), ("Content-MD5", "x")]))
    }

    @Test func `fifteen minutes of skew pass, more does not`() throws {
        for seconds: Int64 in [-900, -1, 0, 1, 900] {
            try verify(Example.get(), now: Timestamp(seconds: 1_369_353_600 + seconds))
        }
        for seconds: Int64 in [-901, 901, 86_400, -86_400] {
            let now = Timestamp(seconds: 1_369_353_600 + seconds)
            #expect(
                failure(try Example.get(), now: now)
                    == .requestTimeTooSkewed(requestTime: Example.now, serverTime: now, skewMax_ms: 900_000))
        }
    }

    @Test func `the time may come from Date, and must come from somewhere`() throws {
        let signer = Example.signer
        let signed = try #require(
            signer.sign(
                method: "GET", path: bytes("/"), fields: [(bytes("host"), bytes("h"))], payload: .unsigned,
                at: Example.now))
        // The string to sign has the time either way; x-amz-date leaves the signed fields, so the signature differs.
        let fields = signed.fields.filter { $0.name != bytes("x-amz-date") }
        let date = (name: bytes("Date"), value: bytes("Fri, 24 May 2013 00:00:00 GMT"))
        let withDate = try #require(RequestHead.make(method: "GET", target: bytes("/"), fields: fields + [date]))
        #expect(isMismatch(failure(withDate)))
        let without = try #require(RequestHead.make(method: "GET", target: bytes("/"), fields: fields))
        #expect(failure(without) == .missingDate)
        #expect(failure(try Example.get(date: "yesterday")) == .missingDate)
        #expect(failure(try Example.get(date: "20130524")) == .missingDate)
    }

    @Test func `a request that is signed with Date alone passes`() throws {
        let date = "Fri, 24 May 2013 00:00:00 GMT"
        guard
            case .mismatch(let detail) = failure(
                try Example.head(
                    "GET", "/",
                    [
                        ("Host", "h"), ("Date", date), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
                        ("Authorization", Example.authorization("date;host;x-amz-content-sha256", "0")),
                    ]))
        else {
            Issue.record("no mismatch")
            return
        }
        #expect(String(ascii: detail.stringToSign).hasPrefix("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/"))
        #expect(String(ascii: detail.canonicalRequest).contains("\ndate:\(date)\nhost:h\n"))
    }

    @Test func `the payload's digest must be there and be of a known form`() throws {
        let head = try Example.head(
            "GET", "/",
            [
                ("Host", "h"), ("x-amz-date", Example.date),
                ("Authorization", Example.authorization("host;x-amz-date", goodSignature)),
            ])
        #expect(failure(head) == .missingPayloadHash)
        #expect(failure(try Example.get(hash: "e3b0")) == .invalidPayloadHash)
        #expect(failure(try Example.get(hash: "")) == .invalidPayloadHash)
        #expect(
            failure(try Example.get(hash: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"))
                == .payloadNotImplemented)
    }

    @Test func `a percent sign without digits in path or query is refused`() throws {
        #expect(failure(try Example.get(target: "/a%")) == .malformedTarget)
        #expect(failure(try Example.get(target: "/a%zz")) == .malformedTarget)
        #expect(failure(try Example.get(target: "/a?b=%1")) == .malformedTarget)
    }

    @Test func `an unknown key goes the same way as a wrong signature`() throws {
        let head = try Example.get()
        let request = try #require(try SignedRequest.parse(head: head))
        let configuration = SignatureConfiguration()
        try request.rejectUnknownKey(head: head, now: Example.now, configuration: configuration)
        #expect(throws: SignatureError.self) {
            try request.rejectUnknownKey(
                head: head, now: Timestamp(seconds: 0), configuration: configuration)
        }
    }

    @Test func `several values of one field are joined by commas, and runs of white space count as one`() throws {
        let head = try Example.head(
            "GET", "/",
            [
                ("Host", "h"), ("x-amz-object-attributes", "ETag"), ("x-amz-date", Example.date),
                ("X-Amz-Object-Attributes", "Parts   and \t more"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
                (
                    "Authorization",
                    Example.authorization("host;x-amz-content-sha256;x-amz-date;x-amz-object-attributes", "0")
                ),
            ])
        guard case .mismatch(let detail) = failure(head) else {
            Issue.record("no mismatch")
            return
        }
        #expect(
            String(ascii: detail.canonicalRequest).contains("\nx-amz-object-attributes:ETag,Parts and more\n"))
    }
}

extension String {
    /// Field values reach the engine's users without outer white space.
    fileprivate var trimmingLastSpace: String { hasSuffix(" ") ? String(dropLast()) : self }
}
