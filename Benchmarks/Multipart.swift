import Glibc
import LoadClient
import Synchronization
import Threads

/// Uploads in parts and copies, with the last step timed by itself.
enum Multipart {
    /// Uploads `count` parts over `connections`, then times Complete. `--source` names an object that every part copies
    /// (UploadPartCopy) instead of bytes of its own.
    static func run(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let path = try arguments.text("path")
        let count = try arguments.number("count")
        let connections = try arguments.number("connections", default: 4)
        let source = try arguments.text("source", default: "")
        let size = try arguments.number("bytes")
        let body = source.isEmpty ? Content.bytes(size) : []
        let connection = try endpoint.connect()
        let id = try begin(endpoint, connection, path)
        let next = Atomic<Int>(1)
        let start = Monotonic.nanoseconds
        let all = try ClientThreads.run(connections) { _ in
            let connection = try endpoint.connect()
            var parts: [(number: Int, etag: String)] = []
            var timings = Timings()
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                if number > count { return (parts, timings) }
                let query = "partNumber=\(number)&uploadId=\(id)"
                let etag = try timings.measure {
                    source.isEmpty
                        ? try endpoint.exchange(connection, "PUT", path, query: query, body: body).etag
                        : try copy(endpoint, connection, source, to: path, query: query)
                }
                parts.append((number, etag))
            }
        }
        print(Timings.joined(all.map(\.1)).report(seconds: Loads.elapsed(since: start), bytesEach: size))
        var document = "<CompleteMultipartUpload>"
        for part in all.flatMap(\.0).sorted(by: { $0.number < $1.number }) {
            document += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(part.etag)</ETag></Part>"
        }
        document += "</CompleteMultipartUpload>"
        let complete = Monotonic.nanoseconds
        let answer = try text(of: connection) {
            try endpoint.exchange(
                connection, "POST", path, query: "uploadId=\(id)", body: [UInt8](document.utf8), $0)
        }
        let took = Loads.elapsed(since: complete)
        guard answer.contains("<CompleteMultipartUploadResult") else { throw ClientError("Complete: \(answer)") }
        print("{\"complete_ms\": \(took * 1e3)}")
    }

    /// Uploads one object of `bytes` in one request, copies it in another, and times both.
    static func copyOne(_ arguments: Arguments) throws {
        let endpoint = try Endpoint(arguments.text("endpoint"))
        let path = try arguments.text("path")
        let size = try arguments.number("bytes")
        let connection = try endpoint.connect()
        let piece = Content.bytes(min(size, 8 << 20))
        let start = Monotonic.nanoseconds
        try connection.send(endpoint.head("PUT", path, length: size))
        var left = size
        while left > 0 {
            try connection.send(piece, first: left)
            left -= min(left, piece.count)
        }
        _ = try Endpoint.checked(connection.reply(), "PUT \(path)")
        let uploaded = Loads.elapsed(since: start)
        let middle = Monotonic.nanoseconds
        _ = try copy(endpoint, connection, path, to: path + "-copy")
        let copied = Loads.elapsed(since: middle)
        try connection.send(endpoint.head("HEAD", path + "-copy"))
        let reply = try Endpoint.checked(connection.reply(hasBody: false), "HEAD of the copy")
        guard reply.field("content-length") == String(size) else {
            throw ClientError("the copy has \(reply.field("content-length") ?? "no") bytes")
        }
        print("{\"upload_s\": \(uploaded), \"copy_s\": \(copied)}")
    }

    private static func begin(
        _ endpoint: Endpoint, _ connection: ClientConnection, _ path: String
    ) throws -> String {
        let answer = try text(of: connection) {
            try endpoint.exchange(connection, "POST", path, query: "uploads=", $0)
        }
        guard let id = value(of: "UploadId", in: answer) else { throw ClientError("no UploadId in the answer") }
        return id
    }

    /// CopyObject, or UploadPartCopy where `query` names a part. Returns the ETag.
    private static func copy(
        _ endpoint: Endpoint, _ connection: ClientConnection, _ source: String, to path: String, query: String = ""
    ) throws -> String {
        try connection.send(
            endpoint.head("PUT", path, query: query, fields: [(name: "x-amz-copy-source", value: source)]))
        let answer = try text(of: connection) { consume in
            _ = try Endpoint.checked(connection.reply(consume), "copy of \(source)")
        }
        // An error of a long copy comes with status 200.
        guard let etag = value(of: "ETag", in: answer) else { throw ClientError("copy of \(source): \(answer)") }
        return etag.split(separator: "&quot;").joined().split(separator: "&#34;").joined()
            .split(separator: "\"").joined()
    }

    private static func text(
        of connection: ClientConnection, _ body: ((Span<UInt8>) throws -> Void) throws -> some Any
    ) throws -> String {
        var answer: [UInt8] = []
        _ = try body { bytes in for index in bytes.indices { answer.append(bytes[index]) } }
        return String(decoding: answer, as: UTF8.self)
    }

    /// What stands in the first element of this name.
    private static func value(of element: String, in text: String) -> String? {
        let pieces = text.split(whereSeparator: { $0 == "<" || $0 == ">" })
        guard let index = pieces.firstIndex(where: { $0 == element }), index + 1 < pieces.count else { return nil }
        return String(pieces[index + 1])
    }
}
