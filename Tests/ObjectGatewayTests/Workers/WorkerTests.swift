import Bytes
import Glibc
import HTTPClient
import HTTPServer
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads
import Worker

@testable import ObjectGateway

/// The real worker with the real ogw-media against the worker API on a socket.
@Suite struct WorkerTests {
    /// A server of the API on a unix socket, and a worker that is to be run.
    private struct Site {
        let scene: WorkScene
        let folder: TemporaryFolder
        let news = Lock<[String]>([])
        static let pool = GatewayFixture.pool

        init(_ scene: WorkScene) throws {
            self.scene = scene
            folder = try TemporaryFolder()
        }

        func serve() throws -> Server {
            let routes = scene.routes
            return try Server.start([.unix(path: folder.file("socket"))], pool: Self.pool) { request in
                await routes.handle(request, isLocal: true)
            }
        }

        func worker(_ name: String = "w") throws -> Worker {
            // This file lies in Tests/ObjectGatewayTests/Workers of the root.
            let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
                .joined(separator: "/")
            var configuration = WorkerConfiguration(
                gateway: .socket(folder.file("socket")), name: name, folder: folder.file("work-\(name)"),
                mediaProgram: variable("OGW_TEST_MEDIA") ?? "\(root)/.build/debug/ogw-media")
            configuration.claimWait = .milliseconds(500)
            configuration.retryWaitMax = .milliseconds(200)
            return try Worker(configuration, pool: Self.pool) { news in self.news.withLock { $0.append("\(news)") } }
        }

        func wait(for beginning: String) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while !news.withLock({ $0.contains { $0.hasPrefix(beginning) } }) {
                guard ContinuousClock.now < deadline else {
                    throw TestSupportError("no \(beginning) among \(news.withLock { $0 })")
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        func run(_ worker: Worker) {
            Self.pool.run {
                do { try await worker.run() } catch { Issue.record("\(error)") }
            }
        }
    }

    private static func with(
        _ scene: WorkScene, _ body: (Site, Worker) async throws -> Void
    ) async throws {
        let site = try Site(scene)
        let server = try site.serve()
        let worker = try site.worker()
        site.run(worker)
        do {
            try await body(site, worker)
        } catch {
            await worker.stop(within: .zero)
            await server.stop(within: .seconds(1))
            throw error
        }
        await worker.stop(within: .seconds(30))
        await server.stop(within: .seconds(1))
        // SAFETY: the path is lent for the call.
        #expect(unsafe access(site.folder.file("work-w"), F_OK) != 0)
        await scene.close()
    }

    private static let grey: @Sendable (Int, Int) -> [UInt8] = { _, _ in [128, 128, 128] }

    @Test func `a picture is watermarked and cut to sizes, one step after the other`() async throws {
        let scene = try await WorkScene(
            WorkScene.hook(
                #""mark": {"watermark": {"logo": "s3://photos/logo"}}, "sizes": {"variants": "small", "after": "mark"}"#,
                more: #", "when": {"prefix": "in/"}"#))
        try await scene.put("logo", TestPicture.png(20, 10) { _, _ in [255, 0, 0] })
        try await Self.with(scene) { site, _ in
            let version = try await scene.put("in/a.png", TestPicture.png(200, 100, Self.grey))
            let group = try await scene.ended("in/a.png")
            #expect(group.state == .completed, "\(group.steps) \(site.news.withLock { $0 })")
            let id = String(ascii: version.versionID.utf8)
            let keys = ["mark/watermarked.png", "sizes/small.png"].map { "photos/in/a.png/\(id)/\($0)" }
            #expect(try await scene.madeKeys() == keys)
            #expect(TestPicture.size(of: try await scene.made(keys[0]).body) == [200, 100])
            #expect(TestPicture.size(of: try await scene.made(keys[1]).body) == [16, 16])
            #expect(group.steps.flatMap(\.files).map(\.name) == ["watermarked", "small"])
        }
    }

    @Test func `a poison file ends among the dead letters at once, with its reason, and the next one is done`()
        async throws
    {
        let scene = try await WorkScene(step: #""variants": "small""#)
        try await Self.with(scene) { _, _ in
            let whole = TestPicture.png(200, 100, Self.grey)
            try await scene.put("cut.png", Array(whole.prefix(whole.count / 2)))
            try await scene.put("good.png", whole)
            let cut = try await scene.ended("cut.png")
            #expect(cut.state == .failed && !cut.steps[0].reason.isEmpty)
            #expect(try await scene.ended("good.png").state == .completed)
            let dead = try await scene.fixture.store.deadJobs(after: nil, limit: 10)
            #expect(dead.count == 1 && dead[0].attempt == 1 && dead[0].reason == cut.steps[0].reason)
        }
    }

    @Test func `a text is probed by another class of helper than the first that was asked`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        try await Self.with(scene) { _, _ in
            try await scene.put("a.bin", bytes("plain text, said to be something else"), type: "image/png")
            let group = try await scene.ended("a.bin")
            #expect(group.state == .completed)
            #expect(JSONValue(parsing: group.steps[0].result)?["type"]?.string == "document")
        }
    }

    @Test func `what is made while the gateway is away is handed in when it is back, in the same try`() async throws {
        let scene = try await WorkScene(step: #""variants": "small""#)
        let site = try Site(scene)
        let first = try site.serve()
        let worker = try site.worker()
        site.run(worker)
        try await scene.put("a.png", TestPicture.png(400, 300, Self.grey))
        try await site.wait(for: "begun")
        await first.stop(within: .zero)
        try await site.wait(for: "gatewayAway")
        let second = try site.serve()
        let group = try await scene.ended("a.png")
        #expect(group.state == .completed, "\(group.steps) \(site.news.withLock { $0 })")
        let jobs = try await scene.fixture.store.jobs(of: group.id)
        #expect(jobs.map(\.attempt) == [1] && jobs.map(\.crashCount) == [0])
        await worker.stop(within: .seconds(10))
        await second.stop(within: .seconds(1))
        await scene.close()
    }

    @Test func `a worker that has to stop gives back the job that it is in the middle of`() async throws {
        let server = try LoopbackServer(response: nil)
        defer { server.stop() }
        let scene = try await WorkScene(step: #""deliver": "\#(server.url)/""#) { configuration in
            configuration.outbound = OutboundRules(allowed: ["127.0.0.1:\(server.port)"])
        }
        let site = try Site(scene)
        let api = try site.serve()
        let worker = try site.worker()
        site.run(worker)
        try await scene.put("a", bytes("x"))
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        await worker.stop(within: .zero)
        let key = try #require(ObjectKey(bytes("a")))
        let group = try #require(try await scene.fixture.store.jobGroups(of: key, in: scene.bucket.id, limit: 1).first)
        let jobs = try await scene.fixture.store.jobs(of: group.id)
        #expect(jobs[0].state == .available && jobs[0].attempt == 0)
        await api.stop(within: .seconds(1))
        await scene.close()
    }
}

/// The step `deliver` against servers that answer in all ways.
@Suite struct DeliveryTests {
    private static func run(
        _ answers: String, more: String = "", allows: Bool = true
    ) async throws -> (group: JobGroup, jobs: [Job], requests: [String]) {
        let server = try LoopbackServer(response: bytes(answers))
        defer { server.stop() }
        let options =
            #"{"url": "\#(server.url)/upload-final", "fields": {"worker_name": "{worker}", "what": "{bucket}/{name}"}}"#
        let scene = try await WorkScene(step: #""deliver": \#(options)\#(more)"#) { configuration in
            if allows { configuration.outbound = OutboundRules(allowed: ["127.0.0.1:\(server.port)"]) }
        }
        let folder = try TemporaryFolder()
        let routes = scene.routes
        let api = try Server.start([.unix(path: folder.file("socket"))], pool: GatewayFixture.pool) { request in
            await routes.handle(request, isLocal: true)
        }
        var configuration = WorkerConfiguration(
            gateway: .socket(folder.file("socket")), name: "worker-1", folder: folder.file("work"),
            mediaProgram: "/nonexistent")
        configuration.claimWait = .milliseconds(500)
        let worker = try Worker(configuration, pool: GatewayFixture.pool) { _ in }
        GatewayFixture.pool.run { try? await worker.run() }
        try await scene.put("in/photo \"1\".png", bytes("PIXELS"))
        let group = try await scene.ended("in/photo \"1\".png")
        let jobs = try await scene.fixture.store.jobs(of: group.id)
        await worker.stop(within: .seconds(10))
        await api.stop(within: .seconds(1))
        await scene.close()
        return (group, jobs, server.requests.map { String(decoding: $0, as: UTF8.self) })
    }

    private static let twice = #", "retry": {"attempts": 2, "backoff": {"kind": "constant", "base": "1ms"}}"#

    @Test func `a file is posted as a form, with its fields and a key by which it is known again`() async throws {
        let (group, _, requests) = try await Self.run(
            "HTTP/1.1 201 Created\r\ncontent-length: 12\r\n\r\n{\"id\": \"x1\"}")
        #expect(group.state == .completed)
        let result = try #require(JSONValue(parsing: group.steps[0].result))
        #expect(result["status"]?.integer == 201 && result["body"]?["id"]?.string == "x1")
        let request = try #require(requests.first)
        #expect(requests.count == 1 && request.hasPrefix("POST /upload-final HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("idempotency-key: "))
        #expect(request.contains("name=\"worker_name\"\r\n\r\nworker-1\r\n"))
        #expect(request.contains("name=\"what\"\r\n\r\nphotos/photo \"1\".png\r\n"))
        #expect(
            request.contains(
                "name=\"file\"; filename=\"photo %221%22.png\"\r\ncontent-type: image/png\r\n\r\nPIXELS\r\n--"))
    }

    @Test(arguments: [
        ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", 2), ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 2),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", 2), ("", 2),
        ("HTTP/1.1 404 No\r\ncontent-length: 5\r\n\r\nnever", 1),
        ("HTTP/1.1 302 Go\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", 1),
        ("HTTP/1.1 429 Slow down\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n", 2), ("not HTTP at all", 2),
    ])
    func `what may pass is tried as often as the step says, and the rest once`(answer: String, tries: Int) async throws
    {
        let (group, jobs, requests) = try await Self.run(answer, more: Self.twice)
        #expect(group.state == .failed && jobs[0].attempt == tries, "\(group.steps[0].reason)")
        #expect(requests.count == tries)
        if answer.contains("never") { #expect(group.steps[0].reason.contains("404: never")) }
    }

    @Test func `a private address that is not named is refused for good`() async throws {
        let (group, jobs, requests) = try await Self.run(
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", more: Self.twice, allows: false)
        #expect(group.state == .failed && jobs[0].attempt == 1 && requests.isEmpty)
        #expect(group.steps[0].reason.contains("private network"))
    }
}
