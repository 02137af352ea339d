import Bytes
import Glibc
import HTTPServer
import Testing
import Threads

/// A server on a free loopback port with a pool of its own, stopped by `stop()`.
final class TestServer: Sendable {
    let pool: Pool
    let server: Server
    let port: UInt16

    init(
        _ configuration: ServerConfiguration = ServerConfiguration(),
        accessLog: (@Sendable (AccessRecord) -> Void)? = nil,
        handler: @escaping @Sendable (Request, Pool) async -> Response = { request, _ in await answer(request) }
    ) throws {
        let pool = try Pool.start(threads: 4)
        self.pool = pool
        server = try Server.start(
            [.tcp(host: "127.0.0.1", port: 0)], configuration: configuration, pool: pool, accessLog: accessLog
        ) { request in await handler(request, pool) }
        guard case .tcp(_, let port)? = server.boundAddresses.first else { throw NoHead() }
        self.port = port
    }

    func client() throws -> TestClient { try TestClient(port: port) }

    func stop() async {
        await server.stop(within: .seconds(2))
        pool.stop()
    }
}

/// Runs `body` against a fresh server and stops it afterwards.
func withServer(
    _ configuration: ServerConfiguration = .patient,
    accessLog: (@Sendable (AccessRecord) -> Void)? = nil,
    handler: @escaping @Sendable (Request, Pool) async -> Response = { request, _ in await answer(request) },
    _ body: (TestServer) async throws -> Void
) async throws {
    let server = try TestServer(configuration, accessLog: accessLog, handler: handler)
    do {
        try await body(server)
        await server.stop()
    } catch {
        await server.stop()
        throw error
    }
}

extension ServerConfiguration {
    /// With deadlines that a test on a busy machine never meets; tests of deadlines bring their own.
    static var patient: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.headerTimeout = .seconds(600)
        configuration.keepAliveTimeout = .seconds(600)
        configuration.bodyRateGrace = .seconds(600)
        return configuration
    }
}

/// Answers with method, target and body, so that a client sees what arrived.
func answer(_ request: Request) async -> Response {
    var text = Array(request.head.methodBytes) + [Ascii.space] + request.head.path + [Ascii.space]
    do {
        while try await request.body.read({ bytes in
            for index in 0..<bytes.count { text.append(bytes[index]) }
        }) {}
    } catch {
        return Response(status: 400, body: .bytes([UInt8]("\(error)".utf8)))
    }
    return Response(status: 200, body: .bytes(text))
}

/// A client that writes exactly what it is told to, and reads with a limit of ten seconds.
final class TestClient {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 { throw ClientError.notConnected }
        limitReads()
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { space in
            for (index, byte) in path.utf8.enumerated() { unsafe space[index] = byte }
        }
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if code != 0 { throw ClientError.notConnected }
        limitReads()
    }

    deinit { Glibc.close(descriptor) }

    private func limitReads() {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) throws { try send([UInt8](text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { throw ClientError.cut }
            done += sent
        }
    }

    /// As many bytes as fit without waiting for the peer to read; returns how many.
    func sendWhatFits(_ bytes: [UInt8]) -> Int {
        var done = 0
        while done < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if sent <= 0 { break }
            done += sent
        }
        return done
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func limitReceiveBuffer(_ size: Int32) {
        var size = size
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    struct Reply {
        var status: Int
        var head: String
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts[0].lowercased() == name { return String(parts[1]).trimmingPrefix(" ").description }
            }
            return nil
        }
    }

    enum ClientError: Error { case notConnected, cut, malformed }

    /// Reads one response whole. `hasBody` is false after a HEAD.
    func reply(hasBody: Bool = true) throws -> Reply {
        var reply = try readHead()
        if reply.status == 100 || reply.status == 204 || reply.status == 304 || !hasBody { return reply }
        if let length = reply.field("content-length").flatMap(Int.init) {
            reply.body = try take(length)
        } else if reply.field("transfer-encoding") == "chunked" {
            while true {
                guard let size = Int(try line(), radix: 16) else { throw ClientError.malformed }
                reply.body += try take(size)
                if try line() != "" { throw ClientError.malformed }
                if size == 0 { break }
            }
        } else {
            reply.body = try untilEnd()
        }
        return reply
    }

    private func readHead() throws -> Reply {
        var head = ""
        while true {
            let line = try line()
            if line.isEmpty { break }
            head += line + "\r\n"
        }
        let words = head.split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw ClientError.malformed }
        return Reply(status: status, head: head, body: [])
    }

    private func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: Ascii.lineFeed) {
                guard end > 0, buffer[end - 1] == Ascii.carriageReturn else { throw ClientError.malformed }
                let line = String(decoding: buffer[..<(end - 1)], as: UTF8.self)
                buffer.removeSubrange(...end)
                return line
            }
            if try !receive() { throw ClientError.cut }
        }
    }

    func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { if try !receive() { throw ClientError.cut } }
        defer { buffer.removeSubrange(..<count) }
        return Array(buffer[..<count])
    }

    /// All that comes until the peer closes.
    func untilEnd() throws -> [UInt8] {
        while try receive() {}
        defer { buffer = [] }
        return buffer
    }

    /// False at the end of the peer's bytes; throws when the limit passes or the connection breaks.
    private func receive() throws -> Bool {
        var space = [UInt8](repeating: 0, count: 65536)
        let got = unsafe recv(descriptor, &space, space.count, 0)
        if got < 0 { throw ClientError.cut }
        buffer += space[..<got]
        return got > 0
    }
}
