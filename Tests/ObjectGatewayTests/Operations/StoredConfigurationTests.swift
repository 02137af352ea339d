import Bytes
import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct StoredConfigurationTests {
    private static let xmlns = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
    static let documents = [
        (
            "tagging", "NoSuchTagSet", 204,
            "<Tagging \(xmlns)><TagSet><Tag><Key>team</Key><Value>a &amp; b</Value></Tag></TagSet></Tagging>"
        ),
        (
            "cors", "NoSuchCORSConfiguration", 200,
            "<CORSConfiguration \(xmlns)><CORSRule><ID>one</ID><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
                + "<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedHeader>x-amz-*</AllowedHeader>"
                + "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule></CORSConfiguration>"
        ),
    ]

    @Test(arguments: documents)
    func `what is put is answered, replaced, removed, and then absent with its own error`(
        parameter: String, absent: String, putStatus: Int, document: String
    ) async throws {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("GET", "/bucket", parameter).code == absent)
        for _ in 0..<2 {
            let put = try await fixture.send("PUT", "/bucket", parameter, body: bytes(document))
            #expect(put.status == putStatus, "\(put)")
        }
        let got = try await fixture.send("GET", "/bucket", parameter)
        #expect(got.status == 200, "\(got)")
        #expect(try XMLDocument.parse(got.body) == XMLDocument.parse(bytes(document)), "\(got)")
        try await fixture.setVersioning(.enabled)
        #expect(try await fixture.send("GET", "/bucket", parameter).text == got.text)
        #expect(try await fixture.send("DELETE", "/bucket", parameter).status == 204)
        #expect(try await fixture.send("DELETE", "/bucket", parameter).status == 204)
        #expect(try await fixture.send("GET", "/bucket", parameter).code == absent)
        #expect(try await fixture.send("PUT", "/nowhere", parameter, body: bytes(document)).code == "NoSuchBucket")
    }

    @Test(arguments: [
        ("tagging", "<Tagging/>", "MalformedXML"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
        ("tagging", "no document", "MalformedXML"),
        ("tagging", "<Tagging><TagSet><Tag><Key></Key><Value/></Tag></TagSet></Tagging>", "InvalidTag"),
        ("cors", "<CORSConfiguration/>", "MalformedXML"), ("cors", "<Other><CORSRule/></Other>", "MalformedXML"),
        (
            "cors", "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
            "MalformedXML"
        ),
    ])
    func `a document that is refused leaves what was there`(
        parameter: String, document: String, code: String
    ) async throws {
        let fixture = try await GatewayFixture()
        let good = try #require(Self.documents.first { $0.0 == parameter }).3
        _ = try await fixture.send("PUT", "/bucket", parameter, body: bytes(good))
        let before = try await fixture.send("GET", "/bucket", parameter).text
        let refused = try await fixture.send("PUT", "/bucket", parameter, body: bytes(document))
        #expect(refused.status == 400 && refused.code == code, "\(refused)")
        #expect(try await fixture.send("GET", "/bucket", parameter).text == before)
    }

    @Test func `a bucket has 50 tags, and not one more`() async throws {
        let fixture = try await GatewayFixture()
        func put(_ count: Int) async throws -> Answer {
            let tags = (0..<count).map { "<Tag><Key>k\($0)</Key><Value>v</Value></Tag>" }.joined()
            return try await fixture.send(
                "PUT", "/bucket", "tagging", body: bytes("<Tagging><TagSet>\(tags)</TagSet></Tagging>"))
        }
        #expect(try await put(50).status == 204)
        #expect(try await put(51).code == "InvalidTag")
    }

    @Test func `a configuration above its size is refused unread`() async throws {
        let fixture = try await GatewayFixture()
        let answer = try await fixture.send(
            "PUT", "/bucket", "cors", body: [UInt8](repeating: UInt8(ascii: "<"), count: (64 << 10) + 1))
        #expect(answer.code == "MaxMessageLengthExceeded", "\(answer)")
    }
}
