import Bytes
import Files
import Glibc
import HTTPServer
import Synchronization
import Testing
import Threads

struct ServerTests {
    // MARK: Deadlines

    @Test func `a head that does not come in time is answered with 408, an empty one with a close`() async throws {
        var configuration = ServerConfiguration()
        configuration.headerTimeout = .milliseconds(300)
        try await withServer(configuration) { server in
            let silent = try server.client()
            let slow = try server.client()
            try slow.send("GET / HT")
            #expect(try slow.reply().status == 408)
            #expect(try slow.untilEnd().isEmpty)
            #expect(try silent.untilEnd().isEmpty)
        }
    }

    @Test func `a trickle of header bytes does not extend the deadline`() async throws {
        var configuration = ServerConfiguration()
        configuration.headerTimeout = .milliseconds(300)
        try await withServer(configuration) { server in
            let client = try server.client()
            var cut = false
            for byte in "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "y", count: 2000))".utf8 where !cut {
                do { try client.send([byte]) } catch { cut = true }
                await server.pool.sleep(for: .milliseconds(5))
            }
            #expect(cut)
        }
    }

    @Test func `an idle connection closes after its time`() async throws {
        var configuration = ServerConfiguration()
        configuration.keepAliveTimeout = .milliseconds(200)
        try await withServer(configuration) { server in
            let client = try server.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().status == 200)
            #expect(try client.untilEnd().isEmpty)
            try await until { server.server.statistics.connectionsOpen == 0 }
        }
    }

    @Test func `a body below the minimum rate ends with tooSlow`() async throws {
        var configuration = ServerConfiguration()
        configuration.bodyRateMin = 100_000
        configuration.bodyRateGrace = .milliseconds(300)
        try await withServer(configuration) { server in
            let client = try server.client()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            // A byte every 20 ms: never idle for long, but far below the rate.
            for _ in 0..<60 {
                _ = client.sendWhatFits([1])
                await server.pool.sleep(for: .milliseconds(20))
            }
            let reply = try client.reply()
            #expect(reply.status == 400)
            #expect(reply.text == "tooSlow")
        }
    }

    @Test func `a client that does not read its response is cut`() async throws {
        var configuration = ServerConfiguration()
        configuration.bodyRateGrace = .milliseconds(200)
        let records = Lock<[Bool]>([])
        try await withServer(
            configuration, accessLog: { record in records.withLock { $0.append(record.isComplete) } },
            handler: { _, _ in Response(status: 200, body: .bytes([UInt8](repeating: 1, count: 30_000_000))) }
        ) { server in
            let client = try server.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await until { records.withLock { $0.count } == 1 }
            #expect(records.withLock { $0 } == [false])
            #expect(throws: (any Error).self) { try client.reply() }
        }
    }

    // MARK: Limits

    @Test func `above the connection limit new clients wait for a place`() async throws {
        var configuration = ServerConfiguration()
        configuration.connectionsMax = 3
        try await withServer(configuration) { server in
            var clients = try (0..<3).map { _ in try server.client() }
            for client in clients {
                try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.reply().status == 200)
            }
            let waiting = try server.client()
            try waiting.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.pool.sleep(for: .milliseconds(100))
            #expect(server.server.statistics.connectionsOpen == 3)
            clients.removeFirst()
            #expect(try waiting.reply().text == "GET /b ")
            #expect(server.server.statistics.connectionsAccepted == 4)
        }
    }

    // MARK: Stopping

    @Test func `a stop closes idle connections and lets a running request end`() async throws {
        let isRunning = Atomic<Bool>(false)
        let mayEnd = Atomic<Bool>(false)
        let server = try TestServer(handler: { request, pool in
            if text(request.head.path) == "/slow" {
                isRunning.store(true, ordering: .releasing)
                while !mayEnd.load(ordering: .acquiring) { await pool.sleep(for: .milliseconds(5)) }
            }
            return Response(status: 200, body: .bytes(Array(request.head.path)))
        })
        let idle = try server.client()
        try idle.send("GET /idle HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try idle.reply().status == 200)
        let busy = try server.client()
        try busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        try await until { isRunning.load(ordering: .acquiring) }
        // On the server's own threads: this one blocks in reads below.
        let hasStopped = Atomic<Bool>(false)
        server.pool.run {
            await server.server.stop(within: .seconds(20))
            hasStopped.store(true, ordering: .releasing)
        }
        #expect(try idle.untilEnd().isEmpty)
        mayEnd.store(true, ordering: .releasing)
        let reply = try busy.reply()
        #expect(reply.text == "/slow")
        #expect(reply.field("connection") == "close")
        #expect(try busy.untilEnd().isEmpty)
        try await until { hasStopped.load(ordering: .acquiring) }
        #expect(server.server.statistics.connectionsOpen == 0)
        #expect(throws: TestClient.ClientError.self) { try server.client() }
        server.pool.stop()
    }

    @Test func `a stop cuts what waits for its peer when the time is over`() async throws {
        let errors = Lock<[BodyError]>([])
        let server = try TestServer(handler: { request, _ in
            do { while try await request.body.read({ _ in }) {} } catch {
                if let error = error as? BodyError { errors.withLock { $0.append(error) } }
            }
            return Response(status: 503)
        })
        let client = try server.client()
        try client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        try await until { server.server.statistics.requests == 1 }
        await server.server.stop(within: .milliseconds(50))
        #expect(errors.withLock { $0 } == [.stopping])
        #expect(server.server.statistics.connectionsOpen == 0)
        server.pool.stop()
    }

    // MARK: Addresses, log, counts

    @Test func `a unix socket is private, replaces a dead one, and is removed at the stop`() async throws {
        try await withFolder { folder in
            let path = folder + "/ogw.sock"
            _ = try OpenFile.open(path, flags: O_RDWR | O_CREAT)
            let pool = try Pool.start(threads: 2)
            defer { pool.stop() }
            let server = try Server.start([.unix(path: path)], pool: pool) { await answer($0) }
            var status = stat()
            #expect(unsafe stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(throws: ServerError.self) {
                _ = try Server.start([.unix(path: path)], pool: pool) { await answer($0) }
            }
            let client = try TestClient(path: path)
            try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().text == "GET /a ")
            await server.stop(within: .seconds(1))
            #expect(unsafe access(path, F_OK) != 0)
        }
    }

    @Test func `an address in use is an error that names it, and nothing stays open`() async throws {
        try await withServer { server in
            let taken = ListenAddress.tcp(host: "127.0.0.1", port: server.port)
            let free = ListenAddress.tcp(host: "127.0.0.1", port: 0)
            let error = #expect(throws: ServerError.self) {
                _ = try Server.start([free, taken], pool: server.pool) { await answer($0) }
            }
            #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
        }
    }

    @Test func `the access log tells what was asked, answered and moved`() async throws {
        let records = Lock<[AccessRecord]>([])
        try await withServer(accessLog: { record in records.withLock { $0.append(record) } }) { server in
            let client = try server.client()
            let request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            try client.send(request)
            #expect(try client.reply().status == 200)
            try client.send("nonsense\r\n")
            #expect(try client.reply().status == 400)
            try await until { records.withLock { $0.count } == 2 }
            let seen = records.withLock { $0 }
            #expect(seen[0].status == 200)
            #expect(seen[0].head.map { text($0.path) } == "/a")
            #expect(seen[0].bytesReceived == UInt64(request.utf8.count))
            #expect(seen[0].bytesSent > 80)
            #expect(seen[0].isComplete)
            #expect(seen[0].connection.peerAddress == "127.0.0.1")
            #expect(seen[1].status == 400)
            #expect(seen[1].head == nil)
            let statistics = server.server.statistics
            #expect(statistics.requests == 1)
            #expect(statistics.requestsRefused == 1)
            #expect(statistics.bytesSent == seen[0].bytesSent + seen[1].bytesSent)
        }
    }

    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<5000 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(2))
        }
        Issue.record("did not happen")
    }
}
