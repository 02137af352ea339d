import Bytes
import LoadClient
import XML

/// One client's calls over one connection, which is opened again after an error. Owned by one thread.
final class Session {
    struct Answer {
        var status: Int
        var reply: ClientConnection.Reply
        var body: [UInt8]

        /// S3's own code of an error, also of one that stands in a body with status 200.
        var code: String {
            guard let root = try? XMLDocument.parse(body), root.isNamed("Error") else { return "" }
            return String(ascii: root.text(of: "Code") ?? [])
        }
    }

    enum Outcome {
        case answer(Answer)
        /// Sent, at least in part, and not answered in full.
        case unknown(String)
        case notSent
    }

    /// Long, so that only a server that hangs meets it.
    static let patience_s = 120

    let endpoint: Endpoint
    private var connection: ClientConnection?

    init(_ endpoint: Endpoint) { self.endpoint = endpoint }

    func call(
        _ method: String, _ path: String, query: String = "", range: String? = nil,
        fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) -> Outcome {
        let open: ClientConnection
        let head: [UInt8]
        do {
            open = try connection ?? endpoint.connect(receiveBytes: 128 * 1024, patience_s: Self.patience_s)
            head = try endpoint.head(method, path, query: query, range: range, length: body.count, fields: fields)
        } catch {
            return .notSent
        }
        connection = open
        do {
            try open.send(head)
            if !body.isEmpty { try open.send(body) }
        } catch {
            // A server that refuses a body may answer before it has read it.
        }
        do {
            var received: [UInt8] = []
            let reply = try open.reply(hasBody: method != "HEAD") { bytes in
                // SAFETY: the bytes are copied within the closure.
                unsafe bytes.withUnsafeBufferPointer { unsafe received.append(contentsOf: $0) }
            }
            if reply.field("connection")?.lowercased() == "close" { connection = nil }
            var answer = Answer(status: reply.status, reply: reply, body: received)
            // A copy or a Complete may say 200 first and fail then (API/CopyObject).
            if reply.status == 200, method == "PUT" || method == "POST", !received.isEmpty, !answer.code.isEmpty {
                answer.status = Self.status(answer.code)
            }
            return .answer(answer)
        } catch {
            connection = nil
            return .unknown("\(error)")
        }
    }

    private static func status(_ code: String) -> Int {
        switch code {
        case "NoSuchKey", "NoSuchUpload", "NoSuchVersion": 404
        case "PreconditionFailed": 412
        case "InsufficientStorage": 507
        case "SlowDown": 503
        default: 500
        }
    }
}
