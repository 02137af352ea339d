import Testing

@testable import ObjectGateway

@Suite struct CORSTests {
    private static let rules = """
        <CORSConfiguration>
        <CORSRule><AllowedOrigin>https://app.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
        <AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>\
        <ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-version-id</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>
        <CORSRule><AllowedOrigin>http://*.test</AllowedOrigin><AllowedMethod>DELETE</AllowedMethod></CORSRule>
        <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>
        </CORSConfiguration>
        """

    private func fixture() async throws -> GatewayFixture {
        let fixture = try await GatewayFixture()
        #expect(try await fixture.send("PUT", "/bucket", "cors", body: bytes(Self.rules)).status == 200)
        return fixture
    }

    private func preflight(
        _ fixture: GatewayFixture, _ origin: String, _ method: String, headers: String? = nil,
        path: String = "/bucket/key"
    ) async throws -> Answer {
        var fields = [("origin", origin), ("access-control-request-method", method)]
        if let headers { fields.append(("access-control-request-headers", headers)) }
        return try await fixture.send("OPTIONS", path, headers: fields, signedBy: nil)
    }

    @Test func `a preflight is answered by the first rule that matches, without credentials`() async throws {
        let fixture = try await fixture()
        let put = try await preflight(
            fixture, "https://app.example.com", "PUT", headers: "X-Amz-Date, content-type,x-amz-meta-a")
        #expect(put.status == 200, "\(put)")
        #expect(put["access-control-allow-origin"] == "https://app.example.com")
        #expect(put["access-control-allow-methods"] == "PUT, GET")
        #expect(put["access-control-allow-headers"] == "x-amz-date, content-type, x-amz-meta-a")
        #expect(put["access-control-expose-headers"] == "ETag, x-amz-version-id")
        #expect(put["access-control-max-age"] == "60")
        #expect(put["access-control-allow-credentials"] == "true")
        #expect(put["vary"]?.contains("Origin") == true)
        let remove = try await preflight(fixture, "http://a.b.test", "DELETE", path: "/bucket")
        #expect(remove.status == 200 && remove["access-control-allow-origin"] == "http://a.b.test")
        let get = try await preflight(fixture, "null", "GET")
        #expect(get.status == 200 && get["access-control-allow-origin"] == "*")
        #expect(get["access-control-allow-credentials"] == nil)
    }

    @Test(
        arguments: [
            ("https://other.example.com", "PUT", nil), ("https://app.example.com", "DELETE", nil),
            ("https://app.example.com", "PUT", "x-other"), ("http://a.test.evil", "DELETE", nil),
            ("http://.tes", "DELETE", nil), ("https://app.example.com", "PATCH", nil),
            ("https://app.example.com", "put", nil),
        ] as [(String, String, String?)])
    func `a preflight that no rule allows is AccessForbidden`(
        origin: String, method: String, headers: String?
    ) async throws {
        let answer = try await preflight(try await fixture(), origin, method, headers: headers)
        #expect(answer.status == 403 && answer.code == "AccessForbidden", "\(answer)")
        #expect(answer["access-control-allow-origin"] == nil)
    }

    @Test func `a preflight says what it lacks, and nothing of whether a bucket is there`() async throws {
        let fixture = try await GatewayFixture()
        let plain = try await fixture.send("OPTIONS", "/bucket/key", signedBy: nil)
        #expect(plain.status == 400 && plain.code == "BadRequest", "\(plain)")
        let half = try await fixture.send("OPTIONS", "/bucket/key", headers: [("origin", "http://a")], signedBy: nil)
        #expect(half.status == 400 && half.code == "BadRequest", "\(half)")
        for path in ["/bucket/key", "/nowhere/key", "/", "/%00"] {
            let answer = try await preflight(fixture, "http://a", "GET", path: path)
            #expect(answer.status == 403 && answer.code == "AccessForbidden", "\(answer)")
        }
    }

    @Test func `responses and errors to an allowed origin may be read by its pages, others not`() async throws {
        let fixture = try await fixture()
        try await fixture.put("key", bytes("content"))
        let origin = [("origin", "https://app.example.com")]
        let got = try await fixture.send("GET", "/bucket/key", headers: origin)
        #expect(got.status == 200 && got["access-control-allow-origin"] == "https://app.example.com", "\(got)")
        let missing = try await fixture.send("GET", "/bucket/missing", headers: origin)
        #expect(missing.status == 404 && missing["access-control-allow-origin"] != nil, "\(missing)")
        let refused = try await fixture.send("GET", "/bucket/key", headers: origin, signedBy: nil)
        #expect(refused.status == 403 && refused["access-control-allow-origin"] != nil, "\(refused)")
        let removed = try await fixture.send("DELETE", "/bucket/key", headers: origin)
        #expect(removed.status == 204 && removed["access-control-allow-origin"] == nil, "\(removed)")
        let plain = try await fixture.send("GET", "/bucket/missing")
        #expect(plain["access-control-allow-origin"] == nil)
    }

    @Test(arguments: [
        ("<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>", "Unsupported method is PATCH"),
        ("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://*.*</AllowedOrigin>", "more than one wildcard"),
        (
            "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><AllowedHeader>*a*</AllowedHeader>",
            "AllowedHeader \"*a*\""
        ),
        (
            "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>a b</ExposeHeader>",
            "ExposeHeader \"a b\""
        ),
    ])
    func `a rule that cannot be is refused by what is wrong with it`(rule: String, reason: String) async throws {
        let answer = try await GatewayFixture().send(
            "PUT", "/bucket", "cors",
            body: bytes("<CORSConfiguration><CORSRule>\(rule)</CORSRule></CORSConfiguration>"))
        #expect(answer.status == 400 && answer.code == "InvalidRequest", "\(answer)")
        #expect(answer.detail("Message")?.contains(reason) == true, "\(answer)")
    }

    @Test func `there are 100 rules at most`() async throws {
        let fixture = try await GatewayFixture()
        func put(_ count: Int) async throws -> Answer {
            let rule = "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
            return try await fixture.send(
                "PUT", "/bucket", "cors",
                body: bytes("<CORSConfiguration>\(String(repeating: rule, count: count))</CORSConfiguration>"))
        }
        #expect(try await put(100).status == 200)
        #expect(try await put(101).code == "MalformedXML")
    }

    @Test func `rules that change count from the next request on`() async throws {
        let fixture = try await fixture()
        #expect(try await preflight(fixture, "http://any", "GET").status == 200)
        #expect(try await fixture.send("DELETE", "/bucket", "cors").status == 204)
        #expect(try await preflight(fixture, "http://any", "GET").status == 403)
    }
}
