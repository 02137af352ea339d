import Threads

/// A server of HTTP on 127.0.0.1 that keeps what it was asked, and answers as it is told. Each connection has one request.
public final class ScriptedServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// With its query.
        public var target: String
        /// By lower-case names.
        public var fields: [String: String]
        public var body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    public struct Answer: Sendable {
        public var status: Int
        public var fields: [(String, String)]
        public var body: [UInt8]
        /// What the length says in place of the body's.
        public var length: Int?

        public init(_ status: Int, _ body: [UInt8] = [], fields: [(String, String)] = [], length: Int? = nil) {
            (self.status, self.body, self.fields, self.length) = (status, body, fields, length)
        }

        public static func json(_ text: String, status: Int = 200, fields: [(String, String)] = []) -> Answer {
            Answer(status, Array(text.utf8), fields: [("content-type", "application/json")] + fields)
        }
    }

    private let server: LoopbackServer
    private let asked: Lock<[Request]>

    public var port: UInt16 { server.port }
    public var authority: String { "127.0.0.1:\(port)" }
    public var url: String { server.url }
    public var requests: [Request] { asked.withLock { $0 } }

    /// `answer` is given the request, and how many came before it. Nil closes nothing and says nothing.
    public init(port: UInt16 = 0, answer: @escaping @Sendable (Request, Int) -> Answer?) throws {
        let asked = Lock<[Request]>([])
        self.asked = asked
        server = try LoopbackServer(port: port) { bytes in
            let request = Self.parse(bytes)
            let number = asked.withLock { all in
                all.append(request)
                return all.count - 1
            }
            guard let answer = answer(request, number) else { return nil }
            var head = "HTTP/1.1 \(answer.status) Said\r\nconnection: close\r\n"
            for (name, value) in answer.fields { head += "\(name): \(value)\r\n" }
            if answer.status != 204 { head += "content-length: \(answer.length ?? answer.body.count)\r\n" }
            return Array("\(head)\r\n".utf8) + answer.body
        }
    }

    public func stop() { server.stop() }

    private static func parse(_ bytes: [UInt8]) -> Request {
        let blank = Array("\r\n\r\n".utf8)
        let end = bytes.indices.first { bytes[$0...].starts(with: blank) } ?? bytes.count
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            if parts.count == 2 { fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
        return Request(
            method: words.first ?? "", target: words.count > 1 ? words[1] : "", fields: fields,
            body: Array(bytes.dropFirst(end + blank.count)))
    }
}
