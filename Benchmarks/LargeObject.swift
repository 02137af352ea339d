import Bytes
import Digests
import Glibc
import LoadClient
import Synchronization
import Threads

/// One object that is uploaded and downloaded in parts, several at once, and compared by the CRC of each part.
struct LargeObject: Sendable {
    private let endpoint: Endpoint
    private let path: String
    private let size: Int
    private let partSize: Int
    private let atOnce: Int
    private var parts: Int { (size + partSize - 1) / partSize }

    init(_ arguments: Arguments) throws {
        endpoint = try Endpoint(arguments.text("endpoint"))
        path = try arguments.text("path")
        size = try arguments.number("bytes")
        partSize = try arguments.number("part-bytes", default: 64 << 20)
        atOnce = try arguments.number("at-once", default: 4)
    }

    private struct Part: Sendable {
        var number: Int
        var etag: String
        var crc: UInt32
    }

    func run() throws {
        let start = Monotonic.nanoseconds
        let sent = try upload()
        let uploaded = Loads.elapsed(since: start)
        let middle = Monotonic.nanoseconds
        try download(sent)
        let downloaded = Loads.elapsed(since: middle)
        let total = Double(size) / 1_048_576
        print(
            "{\"upload_mib_per_second\": \(total / uploaded), \"download_mib_per_second\": \(total / downloaded), "
                + "\"parts\": \(parts)}")
    }

    private func length(of number: Int) -> Int { min(partSize, size - (number - 1) * partSize) }

    /// Hands out 1...parts to `atOnce` threads.
    private func eachPart(_ body: @escaping @Sendable (Int, ClientConnection) throws -> Part) throws -> [Part] {
        let next = Atomic<Int>(1)
        let all = try ClientThreads.run(atOnce) { _ in
            let connection = try endpoint.connect()
            var done: [Part] = []
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                if number > parts { return done }
                done.append(try body(number, connection))
            }
        }
        return all.flatMap { $0 }.sorted { $0.number < $1.number }
    }

    private func upload() throws -> [Part] {
        let connection = try endpoint.connect()
        var answer: [UInt8] = []
        try endpoint.exchange(connection, "POST", path, query: "uploads=") { bytes in
            for index in bytes.indices { answer.append(bytes[index]) }
        }
        let id = Self.text(between: "<UploadId>", and: "</UploadId>", in: String(decoding: answer, as: UTF8.self))
        guard let id else { throw ClientError("no UploadId in the answer") }
        let content = Content.bytes(partSize)
        let sent = try eachPart { number, connection in
            var body = content
            body.removeLast(partSize - length(of: number))
            Content.stamp(&body, with: number)
            var crc = CRC32C()
            crc.update(body.span)
            let reply = try endpoint.exchange(
                connection, "PUT", path, query: "partNumber=\(number)&uploadId=\(id)", body: body)
            return Part(number: number, etag: reply.etag, crc: crc.value)
        }
        var document = "<CompleteMultipartUpload>"
        for part in sent {
            document += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(part.etag)</ETag></Part>"
        }
        document += "</CompleteMultipartUpload>"
        try endpoint.exchange(connection, "POST", path, query: "uploadId=\(id)", body: [UInt8](document.utf8))
        return sent
    }

    private func download(_ sent: [Part]) throws {
        let back = try eachPart { number, connection in
            let first = (number - 1) * partSize
            try connection.send(
                endpoint.head("GET", path, range: "bytes=\(first)-\(first + length(of: number) - 1)"))
            var crc = CRC32C()
            let reply = try Endpoint.checked(connection.reply { crc.update($0) }, "GET of a part")
            if reply.status != 206 || reply.length != length(of: number) {
                throw ClientError("part \(number) came back with \(reply.length) bytes")
            }
            return Part(number: number, etag: "", crc: crc.value)
        }
        for (a, b) in zip(sent, back) where a.crc != b.crc { throw ClientError("part \(a.number) came back changed") }
    }

    private static func text(between start: String, and end: String, in text: String) -> String? {
        // Upload ids hold neither `<` nor `&`, so splitting the tags reads them.
        let pieces = text.split(whereSeparator: { $0 == "<" || $0 == ">" }).map { String($0) }
        guard let index = pieces.firstIndex(of: String(start.dropFirst().dropLast())), index + 1 < pieces.count else {
            return nil
        }
        return pieces[index + 1]
    }
}
