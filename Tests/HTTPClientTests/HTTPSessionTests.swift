import Bytes
import Files
import Glibc
import HTTPClient
import HTTPServer
import TestSupport
import Testing
import Threads

/// Streams between the session and the gateway's own HTTP engine.
@Suite struct HTTPSessionTests {
    private static let pool = Pool()
    /// What the server has written of `/counted/N`.
    private static let counted = Lock(0)

    /// Answers `/size/N` and `/counted/N` with N bytes, `/echo` with what it was sent, `/count` with how many bytes that were.
    private func withServer(_ body: (Server, String, HTTPSession) async throws -> Void) async throws {
        var configuration = ServerConfiguration()
        // Of readers that lag on purpose.
        configuration.bodyRateGrace = .seconds(600)
        let server = try Server.start(
            [.tcp(host: "127.0.0.1", port: 0)], configuration: configuration, pool: Self.pool
        ) { request in await Self.answer(request) }
        guard case .tcp(_, let port)? = server.boundAddresses.first else { throw TestSupportError("no address") }
        let session = try HTTPSession.start(connectionsMax: 8)
        do {
            try await body(server, "http://127.0.0.1:\(port)", session)
        } catch {
            session.close()
            await server.stop(within: .seconds(1))
            throw error
        }
        session.close()
        await server.stop(within: .seconds(1))
    }

    @Test func `a body goes out as its bytes, then files and further bytes, with the length of all`() async throws {
        try await withServer { _, url, session in
            let folder = try TemporaryFolder()
            let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try folder.write("file", content)
            func request(size: Int) throws -> StreamRequest {
                var request = StreamRequest("POST", url: "\(url)/echo", body: [1, 2])
                request.parts = [
                    .file(try OpenFile.open(folder.file("file"), flags: O_RDONLY), size: UInt64(size)), .bytes([]),
                    .bytes([3, 4, 5]),
                ]
                return request
            }
            let whole = try await session.send(try request(size: content.count)).rest(bytesMax: 1 << 20)
            #expect(whole == [1, 2] + content + [3, 4, 5])
            let part = try await session.send(try request(size: 200_000)).rest(bytesMax: 1 << 20)
            #expect(part == [1, 2] + content[..<200_000] + [3, 4, 5])
            // A file that is shorter than it was said to be is no request.
            await #expect(throws: HTTPClientError.self) { try await session.send(try request(size: 400_000)) }
        }
    }

    @Test func `a request goes to a unix socket where it names one, and ends when its time is over`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("socket")
        let server = try Server.start([.unix(path: path)], pool: Self.pool) { request in
            if request.head.path.elementsEqual("/slow".utf8) { await Self.pool.sleep(for: .seconds(30)) }
            return await Self.answer(request)
        }
        let session = try HTTPSession.start()
        var request = StreamRequest("POST", url: "http://ogw/echo", body: [7])
        request.unixSocket = path
        #expect(try await session.send(request).rest(bytesMax: 10) == [7])
        request.url = "http://ogw/slow"
        request.limits.timeout = .milliseconds(100)
        let slow = request
        await #expect(throws: HTTPClientError.timedOut) { try await session.send(slow) }
        session.close()
        await server.stop(within: .milliseconds(100))
    }

    private static func answer(_ request: Request) async -> Response {
        let path = String(decoding: request.head.path, as: UTF8.self)
        let isCounted = path.hasPrefix("/counted/")
        if isCounted || path.hasPrefix("/size/"), let size = path.split(separator: "/").last.flatMap({ Int($0) }) {
            return Response(
                status: 200,
                body: .stream(length: UInt64(size)) { writer in
                    var sent = 0
                    while sent < size {
                        let count = min(chunk.count, size - sent)
                        try await writer.write([UInt8](chunk.prefix(count)))
                        if isCounted { counted.withLock { $0 += count } }
                        sent += count
                    }
                })
        }
        let received = Lock<[UInt8]>([])
        do {
            while try await request.body.read({ bytes in
                received.withLock { received in for index in 0..<bytes.count { received.append(bytes[index]) } }
            }) {}
        } catch {
            return Response(status: 400, body: .bytes([]))
        }
        let bytes = received.withLock { $0 }
        return Response(status: 200, body: .bytes(path == "/echo" ? bytes : [UInt8]("\(bytes.count)".utf8)))
    }

    /// A prime length, so that no two pieces of a stream are alike.
    private static let chunk = (0..<99_991).map { UInt8(truncatingIfNeeded: $0 / 251) }

    private static func expected(_ size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < size { bytes += chunk.prefix(size - bytes.count) }
        return bytes
    }

    @Test func `bodies arrive whole in both directions, many at once on few connections`() async throws {
        try await withServer { server, url, session in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask(executorPreference: Self.pool) {
                        let size = number * 37_000
                        let down = try await session.send(StreamRequest(url: "\(url)/size/\(size)"))
                        #expect(down.status == 200)
                        #expect(try await down.rest(bytesMax: size) == Self.expected(size))
                        let body = Self.expected(size)
                        let up = try await session.send(StreamRequest("PUT", url: "\(url)/echo", body: body))
                        #expect(try await up.rest(bytesMax: size) == body)
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.statistics.connectionsAccepted <= 8)
        }
    }

    @Test func `a reader that lags stops the server, and reads all in the end`() async throws {
        try await withServer { server, url, session in
            let size = 64 << 20
            let response = try await session.send(StreamRequest(url: "\(url)/counted/\(size)"))
            var last = 0
            // Until nothing moves any more: sockets hold some, the session's window the rest.
            while true {
                await Self.pool.sleep(for: .milliseconds(300))
                let sent = Self.counted.withLock { $0 }
                if sent == last, sent > 0 { break }
                last = sent
            }
            #expect(last < size / 2)
            var count = 0
            while let piece = try await response.next() { count += piece.count }
            #expect(count == size)
        }
    }

    @Test func `a response that nobody reads on ends, and its connection is free for others`() async throws {
        try await withServer { server, url, session in
            for _ in 0..<20 {
                let response = try await session.send(StreamRequest(url: "\(url)/size/\(50 << 20)"))
                _ = try await response.next()
            }
            let response = try await session.send(StreamRequest(url: "\(url)/size/5"))
            #expect(try await response.rest(bytesMax: 5).count == 5)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ])
    func `a body that ends too soon is an error behind what came of it`(answer: String) async throws {
        let server = try LoopbackServer(response: answer)
        defer { server.stop() }
        let session = try HTTPSession.start()
        let response = try await session.send(StreamRequest(url: server.url))
        #expect(try await response.next() == Array("short".utf8))
        await #expect(throws: HTTPClientError.self) { _ = try await response.next() }
    }

    @Test func `a server that stays silent is given up`() async throws {
        let server = try LoopbackServer(response: nil as String?)
        defer { server.stop() }
        let session = try HTTPSession.start()
        var request = StreamRequest(url: server.url)
        request.limits.idleTimeout = .milliseconds(900)
        await #expect(throws: HTTPClientError.timedOut) { _ = try await session.send(request) }
    }

    @Test func `a head beyond its limit is refused`() async throws {
        let server = try LoopbackServer(
            response: "HTTP/1.1 200 OK\r\nX-Long: " + String(repeating: "x", count: 300)
                + "\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        let session = try HTTPSession.start()
        var request = StreamRequest(url: server.url)
        request.limits.headBytesMax = 300
        await #expect(throws: HTTPClientError.responseTooLarge) { _ = try await session.send(request) }
    }

    @Test func `nothing is fetched that is no clean http, and no redirect is followed`() async throws {
        let session = try HTTPSession.start()
        for url in ["", "file:///etc/passwd", "http://127.0.0.1/\r\nX: 1"] {
            await #expect(throws: HTTPClientError.self) { _ = try await session.send(StreamRequest(url: url)) }
        }
        let server = try LoopbackServer(
            response: "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        #expect(try await session.send(StreamRequest(url: server.url)).status == 302)
        await #expect(throws: HTTPClientError.self) {
            _ = try await session.send(StreamRequest(url: server.url, headers: [("X-A", "1\r\nX-B: 2")]))
        }
    }

    @Test func `closing ends what is under way and what comes later`() async throws {
        let server = try LoopbackServer(response: nil as String?)
        defer { server.stop() }
        let session = try HTTPSession.start()
        Self.pool.run {
            while server.requests.isEmpty { await Self.pool.sleep(for: .milliseconds(5)) }
            session.close()
        }
        await #expect(throws: HTTPClientError.closed) { _ = try await session.send(StreamRequest(url: server.url)) }
        await #expect(throws: HTTPClientError.closed) { _ = try await session.send(StreamRequest(url: server.url)) }
    }
}
