import Bytes
import Files
import Glibc
import Synchronization
import Testing
import Threads

@testable import HTTPServer

struct ConnectionTests {
    @Test func `a connection carries one request after the other`() async throws {
        try await withServer { server in
            let client = try server.client()
            for path in ["/1", "/2", "/3"] {
                try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let reply = try client.reply()
                #expect(reply.text == "GET \(path) ")
                #expect(reply.field("connection") == nil)
                #expect(reply.field("date")?.hasSuffix(" GMT") == true)
            }
            #expect(server.server.statistics.connectionsAccepted == 1)
        }
    }

    @Test func `pipelined requests are answered in order, bodies and all`() async throws {
        try await withServer { server in
            let client = try server.client()
            var wire = ""
            for index in 0..<200 {
                wire += "PUT /\(index) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab\(index % 10)"
                wire += "PUT /\(index)c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
                wire += "GET /\(index)g HTTP/1.1\r\nHost: a\r\n\r\n"
            }
            try client.send(wire)
            for index in 0..<200 {
                #expect(try client.reply().text == "PUT /\(index) ab\(index % 10)")
                #expect(try client.reply().text == "PUT /\(index)c x")
                #expect(try client.reply().text == "GET /\(index)g ")
            }
        }
    }

    @Test func `a request may come byte by byte`() async throws {
        try await withServer { server in
            let client = try server.client()
            for byte in "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"
                .utf8
            {
                try client.send([byte])
                await server.pool.sleep(for: .microseconds(300))
            }
            #expect(try client.reply().text == "PUT /a hi")
        }
    }

    @Test func `an answer to HEAD has the length and no body`() async throws {
        let responses: @Sendable (Request, Pool) async -> Response = { request, _ in
            switch text(request.head.path) {
            case "/bytes": Response(status: 200, body: .bytes([1, 2, 3]))
            case "/length": Response(status: 200, body: .headOnly(length: 1234))
            case "/stream": Response(status: 200, body: .stream(length: 5) { try await $0.write([1]) })
            default: Response(status: 404)
            }
        }
        try await withServer(handler: responses) { server in
            let client = try server.client()
            for (path, length) in [("/bytes", "3"), ("/length", "1234"), ("/stream", "5"), ("/none", "0")] {
                try client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.reply(hasBody: false).field("content-length") == length)
            }
        }
    }

    @Test func `204 and 304 carry neither body nor length`() async throws {
        try await withServer(handler: { request, _ in
            Response(status: text(request.head.path) == "/204" ? 204 : 304, body: .bytes([1, 2]))
        }) { server in
            let client = try server.client()
            for status in [204, 304] {
                try client.send("GET /\(status) HTTP/1.1\r\nHost: a\r\n\r\n")
                let reply = try client.reply()
                #expect(reply.status == status)
                #expect(reply.field("content-length") == nil)
                #expect(reply.field("transfer-encoding") == nil)
            }
        }
    }

    @Test func `100 Continue is sent at the first read of the body`() async throws {
        try await withServer { server in
            let client = try server.client()
            try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(try client.reply().status == 100)
            try client.send("hi")
            #expect(try client.reply().text == "PUT /a hi")
        }
    }

    @Test func `a request that is refused unread gets no 100 Continue, and the connection closes`() async throws {
        try await withServer(handler: { _, _ in Response(status: 403) }) { server in
            let client = try server.client()
            try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            let reply = try client.reply()
            #expect(reply.status == 403)
            #expect(reply.field("connection") == "close")
            #expect(try client.untilEnd().isEmpty)
        }
    }

    @Test func `a client that still sends reads its 403`() async throws {
        try await withServer(handler: { _, _ in Response(status: 403, body: .bytes([UInt8]("no".utf8))) }) { server in
            let client = try server.client()
            try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
            for _ in 0..<100 { try client.send([UInt8](repeating: 7, count: 100_000)) }
            let reply = try client.reply()
            #expect(reply.status == 403)
            #expect(reply.text == "no")
            #expect(reply.field("connection") == "close")
        }
    }

    @Test func `a small body that was not read is skipped, and the connection stays`() async throws {
        try await withServer(handler: { request, _ in Response(status: 200, body: .bytes(Array(request.head.path))) }) {
            server in
            let client = try server.client()
            try client.send("PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            #expect(try client.reply().text == "/1")
            try client.send("PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            #expect(try client.reply().text == "/2")
            try client.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().text == "/3")
        }
    }

    @Test func `large bodies arrive byte for byte, with a length and chunked`() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        try await withServer(handler: { request, _ in
            var wrong = 0
            var place = 0
            while (try? await request.body.read({ span in
                for index in 0..<span.count {
                    if place >= bytes.count || span[index] != bytes[place] { wrong += 1 }
                    place += 1
                }
            })) == true {}
            return Response(status: 200, body: .bytes([UInt8]("\(place) \(wrong)".utf8)))
        }) { server in
            let client = try server.client()
            try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(bytes.count)\r\n\r\n")
            try client.send(bytes)
            #expect(try client.reply().text == "\(bytes.count) 0")
            try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: bytes.count, by: 70_001) {
                let piece = bytes[start..<min(start + 70_001, bytes.count)]
                try client.send([UInt8](String(piece.count, radix: 16).utf8) + [13, 10] + piece + [13, 10])
            }
            try client.send("0\r\n\r\n")
            #expect(try client.reply().text == "\(bytes.count) 0")
        }
    }

    @Test func `slices of files are sent in order, small and large`() async throws {
        let file = try OpenFile.unnamed(in: "/tmp")
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        try file.write(bytes.span, at: 0)
        try await withServer(handler: { request, _ in
            let slices: [FileSlice] =
                text(request.head.path) == "/small"
                ? [FileSlice(file: file, offset: 5, length: 100)]
                : [FileSlice(file: file, offset: 0, length: 1_500_000), FileSlice(file: file, offset: 7, length: 9)]
            return Response(status: 206, body: .files(slices))
        }) { server in
            let client = try server.client()
            try client.send("GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().body == Array(bytes[5..<105]))
            try client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().body == Array(bytes[..<1_500_000]) + Array(bytes[7..<16]))
        }
    }

    @Test func `a sequence of files is sent whole, and cut where it gives other than was promised`() async throws {
        let file = try OpenFile.unnamed(in: "/tmp")
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        try file.write(bytes.span, at: 0)
        try await withServer(handler: { request, _ in
            let taken = Lock<UInt64>(0)
            // Six slices of 50,000 bytes.
            let length: UInt64 =
                switch text(request.head.path) {
                case "/whole": 300_000
                case "/long": 299_999
                default: 300_001
                }
            return Response(
                status: 200,
                body: .fileSequence(length: length) {
                    let start = taken.withLock { taken in
                        defer { taken += 50_000 }
                        return taken
                    }
                    return start < 300_000 ? FileSlice(file: file, offset: start, length: 50_000) : nil
                })
        }) { server in
            let client = try server.client()
            for _ in 0..<2 {
                try client.send("GET /whole HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.reply().body == bytes)
            }
            for path in ["/long", "/short"] {
                let client = try server.client()
                try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(throws: (any Error).self) { try client.reply() }
            }
        }
    }

    @Test func `a file that is shorter than promised cuts the connection`() async throws {
        let file = try OpenFile.unnamed(in: "/tmp")
        try file.write([1, 2, 3].span, at: 0)
        try await withServer(handler: { request, _ in
            let length: UInt64 = text(request.head.path) == "/small" ? 10 : 1_000_000
            return Response(status: 200, body: .files([FileSlice(file: file, offset: 0, length: length)]))
        }) { server in
            for path in ["/small", "/large"] {
                let client = try server.client()
                try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(throws: (any Error).self) { try client.reply() }
            }
        }
    }

    @Test func `a stream is chunked, or exact where its length is known`() async throws {
        try await withServer(handler: { request, pool in
            let known = text(request.head.path) == "/known"
            return Response(
                status: 200,
                body: .stream(length: known ? 300_000 : nil) { writer in
                    for index in 0..<3 {
                        try await writer.write([UInt8](repeating: UInt8(index), count: 100_000))
                        await pool.sleep(for: .milliseconds(1))
                    }
                })
        }) { server in
            let client = try server.client()
            let expected = (0..<3).flatMap { [UInt8](repeating: UInt8($0), count: 100_000) }
            try client.send("GET /known HTTP/1.1\r\nHost: a\r\n\r\n")
            let known = try client.reply()
            #expect(known.body == expected)
            #expect(known.field("content-length") == "300000")
            try client.send("GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n")
            let unknown = try client.reply()
            #expect(unknown.body == expected)
            #expect(unknown.field("transfer-encoding") == "chunked")
            let old = try server.client()
            try old.send("GET /unknown HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let closed = try old.reply()
            #expect(closed.body == expected)
            #expect(closed.field("connection") == "close")
        }
    }

    @Test func `a stream that fails, or breaks its promise, never looks complete`() async throws {
        struct Failure: Error {}
        try await withServer(handler: { request, _ in
            switch text(request.head.path) {
            case "/fails":
                Response(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        try await writer.write([1, 2])
                        throw Failure()
                    })
            case "/short": Response(status: 200, body: .stream(length: 5) { try await $0.write([1, 2]) })
            default: Response(status: 200, body: .stream(length: 1) { try await $0.write([1, 2]) })
            }
        }) { server in
            for path in ["/fails", "/short", "/long"] {
                let client = try server.client()
                try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(throws: (any Error).self, "\(path)") { try client.reply() }
            }
        }
    }

    @Test func `HTTP/1.0 closes unless it asks to be kept`() async throws {
        try await withServer { server in
            let kept = try server.client()
            for _ in 0..<2 {
                try kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try kept.reply().field("connection") == "keep-alive")
            }
            let closed = try server.client()
            try closed.send("GET /a HTTP/1.0\r\n\r\n")
            #expect(try closed.reply().field("connection") == "close")
            #expect(try closed.untilEnd().isEmpty)
        }
    }

    @Test func `a body that breaks off or breaks its framing is an error for the handler`() async throws {
        let errors = Lock<[BodyError]>([])
        try await withServer(handler: { request, _ in
            do {
                while try await request.body.read({ _ in }) {}
            } catch {
                if let error = error as? BodyError { errors.withLock { $0.append(error) } }
            }
            return Response(status: 400)
        }) { server in
            let malformed = try server.client()
            try malformed.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            let reply = try malformed.reply()
            #expect(reply.status == 400)
            #expect(reply.field("connection") == "close")
            let short = try server.client()
            try short.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            short.endSending()
            #expect(try short.reply().status == 400)
            #expect(errors.withLock { $0 } == [.malformed, .disconnected])
        }
    }

    @Test func `a body that outlives its request reads nothing of the next`() async throws {
        let kept = Lock<RequestBody?>(nil)
        let outcome = Lock<[String]>([])
        try await withServer(handler: { request, _ in
            if let old = kept.withLock({ $0 }) {
                do {
                    _ = try await old.read { _ in outcome.withLock { $0.append("lent") } }
                } catch { outcome.withLock { $0.append("\(error)") } }
            } else {
                kept.withLock { $0 = request.body }
            }
            return Response(status: 200)
        }) { server in
            let client = try server.client()
            for body in ["abc", "def"] {
                try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\(body)")
                #expect(try client.reply().status == 200)
            }
            #expect(outcome.withLock { $0 } == ["disconnected"])
        }
    }

    @Test func `a hostile request over a socket is answered with its status and a close`() async throws {
        try await withServer { server in
            for hostile in hostileRequests {
                let client = try server.client()
                try client.send(hostile.bytes)
                client.endSending()
                let reply = try client.reply()
                #expect(reply.status == hostile.status, "\(hostile.name)")
                #expect(reply.field("connection") == "close", "\(hostile.name)")
                #expect(try client.untilEnd().isEmpty, "\(hostile.name)")
            }
            #expect(server.server.statistics.requests == 0)
            #expect(server.server.statistics.requestsRefused == hostileRequests.count)
        }
    }

    @Test func `the body of the engine's own errors is the configured one`() async throws {
        var configuration = ServerConfiguration()
        configuration.errorBody = { status, reason in ("application/xml", [UInt8]("<\(status)>\(reason)".utf8)) }
        try await withServer(configuration) { server in
            let client = try server.client()
            try client.send("GET /\r\n\r\n")
            let reply = try client.reply()
            #expect(reply.text == "<400>\(DecodeError.badRequestLine.reason)")
            #expect(reply.field("content-type") == "application/xml")
        }
    }

    @Test func `many clients at once get each their own answers`() async throws {
        try await withServer { server in
            let clients = try (0..<100).map { _ in try server.client() }
            for round in 0..<20 {
                for (index, client) in clients.enumerated() {
                    try client.send("PUT /\(index)-\(round) HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
                }
                for client in clients { try client.send("body") }
                for (index, client) in clients.enumerated() {
                    #expect(try client.reply().text == "PUT /\(index)-\(round) body")
                }
            }
        }
    }
}
