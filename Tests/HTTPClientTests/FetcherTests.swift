import HTTPClient
import TestSupport
import Testing
import Threads

@Suite struct FetcherTests {
    let fetcher = Fetcher(pool: Pool())

    @Test func `The library that runs is of the series built for`() {
        #expect(Fetcher.libraryVersion.hasPrefix("7.") || Fetcher.libraryVersion.hasPrefix("8."))
    }

    @Test func `A response arrives with its status, headers and body`() async throws {
        let server = try LoopbackServer(
            response: "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-Mixed-Case:  some value \r\n\r\nnope\n")
        defer { server.stop() }
        let response = try await fetcher.fetch(FetchRequest(url: "\(server.url)/a?b=c"))
        #expect(response.status == 404)
        #expect(response.header("x-mixed-case") == "some value")
        #expect(response.body == Array("nope\n".utf8))
        #expect(server.text.hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
    }

    @Test(arguments: [[], Array("{\"a\": 1}\0\u{ff}".utf8), [UInt8](repeating: 7, count: 300_000)] as [[UInt8]])
    func `A body is sent as it is, with its length`(body: [UInt8]) async throws {
        let server = try LoopbackServer(response: "HTTP/1.1 204 No Content\r\n\r\n")
        defer { server.stop() }
        let request = FetchRequest(
            "POST", url: server.url, headers: [("X-Empty", ""), ("Content-Type", "a/b")], body: body)
        #expect(try await fetcher.fetch(request).status == 204)
        let received = try #require(server.requests.first)
        #expect(received.suffix(body.count).elementsEqual(body))
        #expect(server.text.contains("Content-Length: \(body.count)\r\n"))
        #expect(server.text.contains("X-Empty:\r\n"))
        #expect(!server.text.contains("Expect"))
    }

    @Test func `A redirect is handed back, not followed`() async throws {
        let elsewhere = try LoopbackServer(response: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let server = try LoopbackServer(
            response: "HTTP/1.1 302 Found\r\nLocation: \(elsewhere.url)\r\nContent-Length: 0\r\n\r\n")
        defer {
            server.stop()
            elsewhere.stop()
        }
        #expect(try await fetcher.fetch(FetchRequest(url: server.url)).status == 302)
        #expect(elsewhere.requests.isEmpty)
    }

    @Test func `Headers of a 100 are not those of the response`() async throws {
        let server = try LoopbackServer(
            response: "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        let response = try await fetcher.fetch(FetchRequest(url: server.url))
        #expect(response.status == 200)
        #expect(response.header("x-early") == nil)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + String(repeating: "x", count: 101),
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 101),
        "HTTP/1.1 200 OK\r\nX-Long: " + String(repeating: "x", count: 300) + "\r\nContent-Length: 0\r\n\r\n",
    ])
    func `An answer beyond its limit is refused`(response: String) async throws {
        let server = try LoopbackServer(response: response)
        defer { server.stop() }
        let request = FetchRequest(url: server.url, limits: FetchLimits(bodyBytesMax: 100, headBytesMax: 300))
        await #expect(throws: HTTPClientError.responseTooLarge) { try await fetcher.fetch(request) }
    }

    @Test func `A server that stays silent is given up`() async throws {
        let server = try LoopbackServer(response: nil as String?)
        defer { server.stop() }
        let request = FetchRequest(url: server.url, limits: FetchLimits(timeout: .milliseconds(50)))
        await #expect(throws: HTTPClientError.timedOut) { try await fetcher.fetch(request) }
    }

    @Test func `A port without a listener is not connected`() async throws {
        let url = "http://127.0.0.1:\(try freeLoopbackPort())/"
        await #expect {
            try await fetcher.fetch(FetchRequest(url: url))
        } throws: { error in
            if case .notConnected = error as? HTTPClientError { true } else { false }
        }
    }

    @Test(arguments: [
        "", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://127.0.0.1/\r\nX: 1", "http://",
    ])
    func `Only clean URLs of http and https are fetched`(url: String) async {
        await #expect {
            try await fetcher.fetch(FetchRequest(url: url))
        } throws: { error in
            if case .unusableURL = error as? HTTPClientError { true } else { false }
        }
    }

    @Test func `A line break in a header or a method is refused before anything is sent`() async throws {
        let server = try LoopbackServer(response: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        for request in [
            FetchRequest(url: server.url, headers: [("X-A", "1\r\nX-B: 2")]),
            FetchRequest(url: server.url, headers: [("X-A\r\nX-B", "2")]),
            FetchRequest("GET / HTTP/1.1\r\n", url: server.url),
        ] {
            await #expect {
                try await fetcher.fetch(request)
            } throws: { error in
                if case .unusableHeader = error as? HTTPClientError { true } else { false }
            }
        }
        #expect(server.requests.isEmpty)
    }
}

extension LoopbackServer {
    convenience init(response: String?) throws { try self.init(response: response.map { Array($0.utf8) }) }

    /// The first request, as text.
    var text: String { String(decoding: requests.first ?? [], as: UTF8.self) }
}
