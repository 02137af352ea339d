import Bytes
import TestSupport
import Threads

/// A receiver of webhooks on 127.0.0.1 that says yes, or what it is told to say.
final class WebhookReceiver: Sendable {
    private let server: LoopbackServer
    private let bodies = Lock<[[UInt8]]>([])
    private let heads = Lock<[String]>([])

    /// What it accepted, in order.
    var accepted: [[UInt8]] { bodies.withLock { $0 } }
    var requests: [String] { heads.withLock { $0 } }
    var port: UInt16 { server.port }
    var authority: String { "127.0.0.1:\(port)" }
    var url: String { "http://\(authority)/events" }

    /// `status` is given the body; nil answers nothing.
    init(port: UInt16 = 0, status: @escaping @Sendable (String) -> Int? = { _ in 204 }) throws {
        server = try LoopbackServer(port: port) { [bodies, heads] request in
            let text = String(decoding: request, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
            let body = String(text[end.upperBound...])
            heads.withLock { $0.append(String(text[..<end.lowerBound])) }
            guard let status = status(body) else { return nil }
            if (200..<300).contains(status) { bodies.withLock { $0.append(Array(body.utf8)) } }
            return Array("HTTP/1.1 \(status) Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".utf8)
        }
    }

    func stop() { server.stop() }
}
