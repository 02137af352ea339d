import Bytes
import Glibc
import SigV4

/// The server under test, and the keys that sign for it: those of the environment, as the gateway itself reads them.
struct Endpoint: Sendable {
    let host: String
    let port: UInt16
    private let signer: Signer

    /// `authority` is `127.0.0.1:port`.
    init(_ authority: String) throws(BenchError) {
        guard authority.hasPrefix("127.0.0.1:"), let port = UInt16(authority.dropFirst("127.0.0.1:".count)) else {
            throw BenchError("--endpoint \(authority): expected 127.0.0.1:port")
        }
        host = authority
        self.port = port
        signer = Signer(
            accessKey: Self.variable("OGW_ROOT_ACCESS_KEY").utf8, secret: Self.variable("OGW_ROOT_SECRET_KEY").utf8,
            region: "us-east-1".utf8)
    }

    private static func variable(_ name: String) -> String {
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }

    func connect(receiveBytes: Int = 256 * 1024) throws(BenchError) -> ClientConnection {
        try ClientConnection(port: port, receiveBytes: receiveBytes)
    }

    /// The head of a request signed by header, up to and including its empty line.
    func head(
        _ method: String, _ path: String, query: String = "", range: String? = nil, length: Int = 0,
        payload: PayloadMode = .unsigned
    ) throws(BenchError) -> [UInt8] {
        let signed = signer.sign(
            method: method, path: [UInt8](path.utf8), query: [UInt8](query.utf8),
            fields: [(name: [UInt8]("Host".utf8), value: [UInt8](host.utf8))], payload: payload, at: .now())
        guard let signed else { throw BenchError("\(path) cannot be signed") }
        var head = [UInt8]("\(method) \(path)\(query.isEmpty ? "" : "?")\(query) HTTP/1.1\r\n".utf8)
        for field in signed.fields { head += field.name + [0x3A, 0x20] + field.value + [0x0D, 0x0A] }
        if let range { head += "Range: \(range)\r\n".utf8 }
        if method != "GET" { head += "Content-Length: \(length)\r\n".utf8 }
        return head + [0x0D, 0x0A]
    }

    /// One request with a body in memory. Throws for any status outside 200...299.
    @discardableResult
    func exchange(
        _ connection: ClientConnection, _ method: String, _ path: String, query: String = "", body: [UInt8] = [],
        payload: PayloadMode = .unsigned, _ consume: (Span<UInt8>) throws -> Void = { _ in }
    ) throws -> ClientConnection.Reply {
        try connection.send(head(method, path, query: query, length: body.count, payload: payload))
        if !body.isEmpty { try connection.send(body) }
        return try Self.checked(connection.reply(consume), "\(method) \(path)")
    }

    static func checked(_ reply: ClientConnection.Reply, _ what: String) throws(BenchError) -> ClientConnection.Reply {
        guard (200...299).contains(reply.status) else { throw BenchError("\(what) answered \(reply.status)") }
        return reply
    }
}
