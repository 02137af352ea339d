import Bytes
import Files
import Glibc
import HTTPServer
import Testing
import Threads

struct TLSTests {
    @Test func `requests, bodies and files pass through TLS on one connection`() async throws {
        try await withTLS { server, folder in
            let bytes = (0..<1_200_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 9) }
            let file = try OpenFile.open(folder + "/body", flags: O_RDWR | O_CREAT)
            try file.write(bytes.span, at: 0)
            let url = "https://127.0.0.1:\(server.port)"
            #expect(curl("\(url)/a \(url)/b").output == [UInt8]("GET /a GET /b ".utf8))
            #expect(curl("\(url)/file").output == bytes)
            #expect(curl("-T \(folder)/body \(url)/echo").output == bytes)
            #expect(curl("-H 'Transfer-Encoding: chunked' -T \(folder)/body \(url)/echo").output == bytes)
            #expect(curl("-H 'Expect: 100-continue' -T \(folder)/body \(url)/echo").output == bytes)
            #expect(server.server.statistics.handshakes == 5)
            #expect(server.server.statistics.handshakesFailed == 0)
        }
    }

    @Test func `a request in one record with the next is served without another event`() async throws {
        try await withTLS { server, _ in
            let requests = String(repeating: "GET /p HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n", count: 60)
            let last = "GET /q HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
            let reply = shell(
                "printf '\(requests)\(last)' | timeout 20 openssl s_client -quiet -connect 127.0.0.1:\(server.port) 2>/dev/null"
            )
            let text = text(reply.output)
            #expect(text.split(separator: "GET /p ").count == 61)
            #expect(text.hasSuffix("GET /q "))
        }
    }

    @Test(arguments: [("-tls1_1 -cipher DEFAULT@SECLEVEL=0", false), ("-tls1_2", true), ("-tls1_3", true)])
    func `versions from 1.2 on are spoken`(options: String, isSpoken: Bool) async throws {
        try await withTLS { server, _ in
            #expect((client(server, options).status == 0) == isSpoken)
        }
    }

    @Test func `http/1.1 is negotiated, and a client without it is refused`() async throws {
        try await withTLS { server, _ in
            #expect(text(client(server, "-alpn h2,http/1.1").output).contains("ALPN protocol: http/1.1"))
            #expect(client(server, "-alpn h2").status != 0)
            #expect(server.server.statistics.handshakesFailed == 1)
        }
    }

    @Test func `a reload gives new connections the new certificate, and a bad file leaves the old one`() async throws {
        try await withTLS { server, folder in
            #expect(text(client(server, "").output).contains("CN = first"))
            makeCertificate(in: folder, name: "second")
            try server.server.reloadCertificate()
            #expect(text(client(server, "").output).contains("CN = second"))
            _ = shell("echo broken > \(folder)/cert.pem")
            #expect(throws: ServerError.self) { try server.server.reloadCertificate() }
            #expect(text(client(server, "").output).contains("CN = second"))
        }
    }

    @Test func `plain HTTP on a TLS port is cut`() async throws {
        try await withTLS { server, _ in
            let client = try server.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(throws: (any Error).self) { try client.reply() }
            #expect(server.server.statistics.handshakesFailed == 1)
        }
    }

    @Test func `a certificate that does not belong to the key is refused at the start`() async throws {
        try await withFolder { folder in
            makeCertificate(in: folder, name: "a")
            _ = shell("cp \(folder)/key.pem \(folder)/other.pem")
            makeCertificate(in: folder, name: "b")
            var configuration = ServerConfiguration()
            configuration.tlsCertificatePath = folder + "/cert.pem"
            configuration.tlsKeyPath = folder + "/other.pem"
            #expect(throws: ServerError.self) { _ = try TestServer(configuration) }
            configuration.tlsKeyPath = folder + "/missing.pem"
            #expect(throws: ServerError.self) { _ = try TestServer(configuration) }
        }
    }

    // MARK: Fixtures

    private func makeCertificate(in folder: String, name: String) {
        let made = shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=\(name) "
                + "-keyout \(folder)/key.pem -out \(folder)/cert.pem 2>/dev/null")
        #expect(made.status == 0)
    }

    private func withTLS(_ body: (TestServer, String) async throws -> Void) async throws {
        try await withFolder { folder in
            makeCertificate(in: folder, name: "first")
            var configuration = ServerConfiguration()
            configuration.tlsCertificatePath = folder + "/cert.pem"
            configuration.tlsKeyPath = folder + "/key.pem"
            try await withServer(configuration, handler: { request, _ in await Self.respond(request, folder) }) {
                try await body($0, folder)
            }
        }
    }

    private static func respond(_ request: Request, _ folder: String) async -> Response {
        switch text(request.head.path) {
        case "/file":
            guard let file = try? OpenFile.open(folder + "/body", flags: O_RDONLY), let size = try? file.size() else {
                return Response(status: 404)
            }
            return Response(status: 200, body: .files([FileSlice(file: file, offset: 0, length: size)]))
        case "/echo":
            var bytes: [UInt8] = []
            while (try? await request.body.read({ span in
                for index in 0..<span.count { bytes.append(span[index]) }
            })) == true {}
            return Response(status: 200, body: .bytes(bytes))
        default: return await answer(request)
        }
    }

    private func curl(_ arguments: String) -> (status: Int32, output: [UInt8]) {
        shell("curl -sk --max-time 20 \(arguments)")
    }

    private func client(_ server: TestServer, _ options: String) -> (status: Int32, output: [UInt8]) {
        shell("timeout 20 openssl s_client \(options) -connect 127.0.0.1:\(server.port) </dev/null 2>/dev/null")
    }
}
