import Bytes
import Glibc
public import SigV4

/// A server, and the keys that sign for it.
public struct Endpoint: Sendable {
    /// `127.0.0.1:port`.
    public let host: String
    public let port: UInt16
    private let signer: Signer

    /// The keys are those of the environment, as the gateway itself reads them. `authority` is `127.0.0.1:port`.
    public init(_ authority: String) throws(ClientError) {
        guard authority.hasPrefix("127.0.0.1:"), let port = UInt16(authority.dropFirst("127.0.0.1:".count)) else {
            throw ClientError("--endpoint \(authority): expected 127.0.0.1:port")
        }
        self.init(
            port: port, accessKey: Self.variable("OGW_ROOT_ACCESS_KEY"), secret: Self.variable("OGW_ROOT_SECRET_KEY"))
    }

    public init(port: UInt16, accessKey: String, secret: String) {
        host = "127.0.0.1:\(port)"
        self.port = port
        signer = Signer(accessKey: accessKey.utf8, secret: secret.utf8, region: "us-east-1".utf8)
    }

    private static func variable(_ name: String) -> String {
        // SAFETY: the text is copied at once; nothing in these programs changes the environment.
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }

    public func connect(receiveBytes: Int = 256 * 1024, patience_s: Int = 0) throws(ClientError) -> ClientConnection {
        try ClientConnection(port: port, receiveBytes: receiveBytes, patience_s: patience_s)
    }

    /// The head of a request signed by header, up to and including its empty line. `fields` are signed, names lower case.
    public func head(
        _ method: String, _ path: String, query: String = "", range: String? = nil, length: Int = 0,
        payload: PayloadMode = .unsigned, fields: [(name: String, value: String)] = []
    ) throws(ClientError) -> [UInt8] {
        let all = [(name: "Host", value: host)] + fields
        let signed = signer.sign(
            method: method, path: [UInt8](path.utf8), query: [UInt8](query.utf8),
            fields: all.map { (name: [UInt8]($0.name.utf8), value: [UInt8]($0.value.utf8)) }, payload: payload,
            at: .now())
        guard let signed else { throw ClientError("\(path) cannot be signed") }
        var head = [UInt8]("\(method) \(path)\(query.isEmpty ? "" : "?")\(query) HTTP/1.1\r\n".utf8)
        for field in signed.fields { head += field.name + [0x3A, 0x20] + field.value + [0x0D, 0x0A] }
        if let range { head += "Range: \(range)\r\n".utf8 }
        if method != "GET" { head += "Content-Length: \(length)\r\n".utf8 }
        return head + [0x0D, 0x0A]
    }

    /// One request with a body in memory. Throws for any status outside 200...299.
    @discardableResult
    public func exchange(
        _ connection: ClientConnection, _ method: String, _ path: String, query: String = "", body: [UInt8] = [],
        payload: PayloadMode = .unsigned, _ consume: (Span<UInt8>) throws -> Void = { _ in }
    ) throws -> ClientConnection.Reply {
        try connection.send(head(method, path, query: query, length: body.count, payload: payload))
        if !body.isEmpty { try connection.send(body) }
        return try Self.checked(connection.reply(consume), "\(method) \(path)")
    }

    public static func checked(
        _ reply: ClientConnection.Reply, _ what: String
    ) throws(ClientError) -> ClientConnection.Reply {
        guard (200...299).contains(reply.status) else { throw ClientError("\(what) answered \(reply.status)") }
        return reply
    }
}
