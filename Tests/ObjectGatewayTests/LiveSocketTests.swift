import Bytes
import Glibc
import JSON
import TestSupport
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

/// The same requests in process and over a live socket have the same answers.
@Suite struct LiveSocketTests {
    /// Fields that differ from request to request, and those that only the engine writes.
    private static let varying: Set = [
        "date", "x-amz-request-id", "content-length", "last-modified", "connection", "x-amz-version-id",
    ]

    @Test func `answers over a socket are those in process`() async throws {
        let fixture = try await GatewayFixture()
        let gateway = fixture.gateway
        let server = try Server.start([.tcp(host: "127.0.0.1", port: 0)], pool: GatewayFixture.pool) { request in
            await gateway.handle(request)
        }
        guard case .tcp(_, let port)? = server.boundAddresses.first else {
            Issue.record("no address")
            return
        }
        let host = "127.0.0.1:\(port)"
        let large = pattern(300_000)
        let requests = [
            TestRequest(
                method: "PUT", path: "/bucket/small", headers: [("x-amz-meta-a", "1")], body: bytes("content"),
                host: host),
            TestRequest(method: "PUT", path: "/bucket/large", body: large, host: host),
            TestRequest(method: "GET", path: "/bucket/small", host: host),
            TestRequest(method: "GET", path: "/bucket/large", host: host),
            TestRequest(method: "GET", path: "/bucket/large", headers: [("range", "bytes=100000-200000")], host: host),
            TestRequest(method: "HEAD", path: "/bucket/large", host: host),
            TestRequest(method: "GET", path: "/bucket/missing", host: host),
            TestRequest(method: "HEAD", path: "/bucket/missing", host: host),
            TestRequest(method: "GET", path: "/bucket", query: "list-type=2&prefix=x", host: host),
            TestRequest(method: "GET", path: "/bucket/small", headers: [("if-none-match", "*")], host: host),
            TestRequest(
                method: "PUT", path: "/bucket/small", headers: [("content-md5", "x")], body: bytes("b"), host: host),
            TestRequest(method: "DELETE", path: "/bucket/small", host: host),
        ]
        for request in requests {
            for form in [AuthForm.header, .chunked, .unsignedTrailer, .presigned] {
                let inProcess = try await fixture.send(try request.signed(form: form))
                let wire = try request.signed(form: form)
                let live = try await Self.exchange(wire, port: port)
                #expect(live.status == inProcess.status, "\(request.method) \(request.path) \(form)")
                #expect(live.body.count == inProcess.body.count)
                if inProcess.status < 300 { #expect(live.body == inProcess.body) }
                #expect(live.code == inProcess.code)
                #expect(
                    live["content-length"].flatMap(UInt64.init)
                        == (inProcess.status == 204 || inProcess.status == 304 ? nil : inProcess.length))
                #expect(Self.comparable(live) == Self.comparable(inProcess))
            }
        }
        await server.stop(within: .seconds(2))
    }

    private static func comparable(_ answer: Answer) -> [String] {
        answer.headers.filter { !varying.contains($0.name) }.map { "\($0.name): \($0.value)" }.sorted()
    }

    /// One request on a connection of its own, on a thread that may block.
    private static func exchange(_ wire: WireRequest, port: UInt16) async throws -> Answer {
        var bytes = [UInt8](wire.method.utf8) + [Ascii.space] + wire.target + [UInt8](" HTTP/1.1\r\n".utf8)
        for field in wire.fields { bytes += field.name + [UInt8](": ".utf8) + field.value + [13, 10] }
        bytes += [UInt8]("content-length: \(wire.body.count)\r\nconnection: close\r\n\r\n".utf8) + wire.body
        let request = bytes
        let received = await withCheckedContinuation { (continuation: CheckedContinuation<[UInt8], Never>) in
            startThread { continuation.resume(returning: roundTrip(request, port: port)) }
        }
        let end = try #require(received.firstRange(of: [13, 10, 13, 10]))
        let head = [UInt8](received[..<end.lowerBound])
        let status = try #require(Int(String(ascii: head.dropFirst(9).prefix(3))))
        return Answer(
            status: status, headers: Answer.fields(of: head), body: [UInt8](received[end.upperBound...]), length: nil)
    }

    private static func roundTrip(_ request: [UInt8], port: UInt16) -> [UInt8] {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        // SAFETY: the address is lent for the call, and its size is given.
        let failed = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
            }
        }
        if failed { return [] }
        var sent = 0
        while sent < request.count {
            let count = unsafe request.withUnsafeBytes { lent in
                // SAFETY: start + sent stays within the lent bytes.
                unsafe send(
                    connection, lent.baseAddress.map { unsafe $0 + sent }, lent.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }
            sent += count
        }
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(connection, &piece, piece.count, 0)
            if count <= 0 { return received }
            received += piece[..<count]
        }
    }
}
