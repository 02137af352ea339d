import Glibc
import TestSupport
import Testing

@testable import HTTPClient

@Suite struct OutboundTests {
    @Test(arguments: [
        ("127.0.0.1", true), ("10.1.2.3", true), ("172.16.0.1", true), ("172.32.0.1", false), ("192.168.1.1", true),
        ("169.254.169.254", true), ("100.64.0.1", true), ("100.128.0.1", false), ("0.0.0.0", true),
        ("255.255.255.255", true), ("224.0.0.1", true), ("8.8.8.8", false), ("198.18.0.1", true), ("1.1.1.1", false),
        ("::1", true), ("::", true), ("fe80::1", true), ("fd00::1", true), ("ff02::1", true),
        ("2606:4700::1111", false),
        ("::ffff:10.0.0.1", true), ("::ffff:8.8.8.8", false), ("64:ff9b::a00:1", true), ("2002:7f00:1::", true),
        ("2002:808:808::", false), ("2001:db8::1", true),
    ])
    func `addresses of private networks are told from public ones`(text: String, isPrivate: Bool) throws {
        let family = text.contains(":") ? AF_INET6 : AF_INET
        var address = [UInt8](repeating: 0, count: 16)
        // SAFETY: 16 bytes are room for either kind.
        try #require(unsafe inet_pton(family, text, &address) == 1)
        let socketAddress =
            family == AF_INET
            ? [UInt8](repeating: 0, count: 4) + address[..<4] + [UInt8](repeating: 0, count: 8)
            : [UInt8](repeating: 0, count: 8) + address + [UInt8](repeating: 0, count: 4)
        #expect(PrivateAddress.isPrivate(family: family, address: socketAddress) == isPrivate)
    }

    @Test(arguments: [
        ("http://10.0.0.7:8080/x", true), ("http://10.0.0.7/x", false), ("https://INNER.example/a?b", true),
        ("http://inner.example/", false), ("http://10.0.0.7:8080@8.8.8.8/", false), ("http://a@10.0.0.7:8080", true),
        ("http://[fd00::1]:99/", true), ("ftp://10.0.0.7:8080", false),
    ])
    func `a private address is reached where its host and port are named`(url: String, isAllowed: Bool) {
        let rules = OutboundRules(allowed: ["10.0.0.7:8080", "inner.example:443", "[fd00::1]:99"])
        #expect(rules.mayBePrivate(url) == isAllowed)
    }

    @Test func `a request for public addresses only does not reach this machine, whatever name leads there`()
        async throws
    {
        let server = try LoopbackServer(response: Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8))
        defer { server.stop() }
        let session = try HTTPSession.start()
        for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"] {
            var request = StreamRequest(url: "http://\(host):\(server.port)/")
            request.isPublicOnly = true
            let asked = request
            await #expect(throws: HTTPClientError.privateAddress) { try await session.send(asked) }
        }
        #expect(server.requests.isEmpty)
        let answer = try await session.send(StreamRequest(url: server.url))
        #expect(answer.status == 200)
        session.close()
    }
}
