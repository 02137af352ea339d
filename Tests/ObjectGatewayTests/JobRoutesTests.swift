import Bytes
import Hooks
import JSON
import Metadata
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct JobRoutesTests {
    @Test func `a run is listed, shown with stages and fractions, and told to its own customer only`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        try await scene.put("one")
        let job = try await scene.claim()
        let id = String(ascii: job.group.id.text)
        #expect(
            try await scene.engine.renew(
                job.job.id, token: job.job.token, progress: JobProgress(stage: "decode", fraction: 0.5)))
        let shown = try await scene.ask("GET", "/api/jobs/\(id)", as: "anna")
        #expect(shown["state"]?.string == "running" && shown["hook"]?.string == "h")
        #expect(shown["bucket"]?.string == "photos" && shown["key"]?.string == "one")
        #expect(shown["event"]?.string == "s3:ObjectCreated:Put" && shown["progress"]?.number == 0.25)
        let steps = try #require(shown["steps"]?.array)
        #expect(
            steps.map { $0["name"]?.string } == ["a", "b"]
                && steps.map { $0["state"]?.string } == ["leased", "blocked"])
        #expect(steps[0]["stage"]?.string == "decode" && steps[0]["fraction"]?.number == 0.5)
        #expect(steps[0]["worker"]?.string == "w1" && steps[0]["attempt"]?.integer == 1)
        #expect(steps[1]["after"]?.string == "a")
        // By the id of a step's job too.
        let jobID = try #require(steps[0]["job_id"]?.string)
        #expect(try await scene.ask("GET", "/api/jobs/\(jobID)")["id"]?.string == id)
        for user in ["anna", "boss"] {
            let list = try await scene.ask("GET", "/api/jobs", as: user)
            #expect(list["jobs"]?.array?.map { $0["id"]?.string } == [id])
        }
        #expect(try await scene.ask("GET", "/api/jobs", as: "otto")["jobs"] == .array([]))
        for (method, path) in [
            ("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry"),
        ] {
            #expect(try await scene.send(method, "/api/jobs/\(id)\(path)", as: "otto").status == 404)
        }
        await scene.store.close()
    }

    @Test func `lists are filtered, and go page by page until the last`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        for index in 0..<5 { try await scene.put("k\(index)", by: index == 2 ? "otto" : "anna") }
        for _ in 0..<5 { try await scene.fail(try await scene.claim(), "bad") }
        try await scene.put("last")
        _ = try await scene.claim()
        var (keys, target): ([String], String?) = ([], "/api/jobs?state=failed&limit=2&bucket=photos&hook=h")
        var pages = 0
        while let next = target {
            let page = try await scene.ask("GET", next, as: "anna")
            keys += page["jobs"]?.array?.compactMap { $0["key"]?.string } ?? []
            target = page["next_cursor"]?.string.map { "/api/jobs?state=failed&limit=2&cursor=\($0)" }
            pages += 1
        }
        #expect(keys.sorted() == ["k0", "k1", "k3", "k4"] && pages <= 3)
        let one = try await scene.ask("GET", "/api/jobs?bucket=photos&key=k1")
        #expect(one["jobs"]?.array?.compactMap { $0["key"]?.string } == ["k1"])
        #expect(try await scene.ask("GET", "/api/jobs?state=running")["jobs"]?.array?.count == 1)
        #expect(try await scene.ask("GET", "/api/jobs?hook=other")["jobs"] == .array([]))
        let wrong = try await scene.send("GET", "/api/jobs?state=odd&limit=0&key=k&cursor=x&bucket=B")
        #expect(wrong.status == 422)
        let fields = wrong.json?["errors"]?.array?.compactMap { $0["field"]?.string }
        #expect(fields == ["state", "bucket", "limit", "cursor"])
        await scene.store.close()
    }

    @Test func `dead letters have their reason, and one or all are retried by who may write`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        for (key, owner) in [("a", "anna"), ("b", "anna"), ("c", "otto")] {
            try await scene.put(key, by: owner)
            try await scene.fail(try await scene.claim(), "undecodable")
        }
        let dead = try #require(try await scene.ask("GET", "/api/jobs/dead", as: "emil")["dead"]?.array)
        #expect(dead.map { $0["key"]?.string } == ["a", "b"])
        #expect(dead.allSatisfy { $0["reason"]?.string == "undecodable" && $0["step"]?.string == "a" })
        let first = try #require(dead[0]["id"]?.string)
        #expect(try await scene.send("POST", "/api/jobs/\(first)/retry", as: "anna").status == 403)
        let retried = try await scene.ask("POST", "/api/jobs/\(first)/retry", as: "emil")
        #expect(retried["state"]?.string == "running")
        #expect(retried["steps"]?.array?[0]["state"]?.string == "available")
        #expect(try await scene.send("POST", "/api/jobs/\(first)/retry", as: "emil").status == 409)
        #expect(try await scene.ask("POST", "/api/jobs/dead/retry", as: "emil")["retried"]?.integer == 1)
        let left = try await scene.ask("GET", "/api/jobs/dead")["dead"]?.array
        #expect(left?.map { $0["key"]?.string } == ["c"])
        #expect(
            try await scene.ask("POST", "/api/jobs/dead/retry", body: #"{"hook": "other"}"#)["retried"]?.integer == 0)
        #expect(try await scene.ask("POST", "/api/jobs/dead/retry")["retried"]?.integer == 1)
        await scene.store.close()
    }

    @Test func `a run that is cancelled gives nobody a job, and its holder loses it`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        try await scene.put("a")
        let job = try await scene.claim()
        let id = String(ascii: job.group.id.text)
        let cancelled = try await scene.ask("POST", "/api/jobs/\(id)/cancel", as: "emil")
        #expect(cancelled["state"]?.string == "cancelled" && cancelled["ended_at"]?.string != nil)
        #expect(cancelled["steps"]?.array?.map { $0["state"]?.string } == ["cancelled", "cancelled"])
        #expect(try await !scene.engine.renew(job.job.id, token: job.job.token, progress: nil))
        #expect(try await scene.ask("POST", "/api/jobs/\(id)/cancel")["state"]?.string == "cancelled")
        await scene.store.close()
    }

    @Test func `ids that no job has are not found, and nobody without credentials is told anything`() async throws {
        let scene = try await RouteScene()
        for id in ["x", "019a8b7c-0000-7000-8000-000000000000"] {
            #expect(try await scene.send("GET", "/api/jobs/\(id)").status == 404)
        }
        for target in ["/api/jobs", "/api/jobs/dead", "/api/events"] {
            #expect(try await scene.send("GET", target, as: nil).status == 401)
        }
        await scene.store.close()
    }
}

/// Streams of what changes.
@Suite struct JobStreamTests {
    /// A client that reads a stream in the background, as text.
    private final class Reader: Sendable {
        private let text = Lock("")
        private let isOver = Lock(false)
        let status: Int

        init(_ scene: RouteScene, _ target: String, as user: String = "anna", after last: String? = nil) async throws {
            let fields = last.map { [("last-event-id", $0)] } ?? []
            let response = await scene.services.handle(
                try scene.request("GET", target, as: user, fields: fields)
            ).response
            status = response.status
            guard case .stream(_, let run) = response.body else { return }
            #expect(response.field("content-type") == "text/event-stream")
            let (text, isOver) = (text, isOver)
            storePool.run {
                do {
                    try await run(
                        BodyWriter { bytes in
                            text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
                        })
                } catch { Issue.record("\(error)") }
                isOver.withLock { $0 = true }
            }
        }

        /// The events so far, in blocks of lines.
        var events: [[String]] {
            text.withLock { $0 }.split(separator: "\n\n").map { $0.split(separator: "\n").map(String.init) }
                .filter { $0.first?.hasPrefix("event: ") == true }
        }
        var names: [String] { events.compactMap { $0.first.map { String($0.dropFirst(7)) } } }
        var hasEnded: Bool { isOver.withLock { $0 } }

        func data(_ index: Int) -> JSONValue? {
            let line = events[index].first { $0.hasPrefix("data: ") }
            return line.flatMap { JSONValue(parsing: Array($0.dropFirst(6).utf8)) }
        }
        func id(_ index: Int) -> String? {
            events[index].first { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
        }

        /// Returns when so many events are there, or the stream ended.
        func wait(for count: Int) async throws {
            while events.count < count, !hasEnded { try await Task.sleep(for: .milliseconds(2)) }
            try #require(events.count >= count)
        }

        func waitForEnd() async throws {
            while !hasEnded { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the stream of a run shows it, its progress and its end, and closes`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        try await scene.put("a")
        let first = try await scene.claim()
        let id = String(ascii: first.group.id.text)
        let reader = try await Reader(scene, "/api/jobs/\(id)/events")
        try await reader.wait(for: 1)
        _ = try await scene.engine.renew(
            first.job.id, token: first.job.token, progress: JobProgress(stage: "encode", fraction: 0.25))
        try await reader.wait(for: 2)
        try await scene.complete(first)
        try await scene.complete(try await scene.claim())
        try await reader.waitForEnd()
        #expect(reader.names.first == "job" && reader.names[1] == "progress" && reader.names.last == "complete")
        #expect(reader.data(1)?["stage"]?.string == "encode" && reader.data(1)?["fraction"]?.number == 0.25)
        let end = reader.events.count - 1
        #expect(reader.data(end)?["state"]?.string == "completed" && reader.data(end)?["progress"]?.number == 1)
        // A browser that comes back is sent away, another client sees the end.
        #expect(try await Reader(scene, "/api/jobs/\(id)/events", after: reader.id(end)).status == 204)
        let late = try await Reader(scene, "/api/jobs/\(id)/events")
        try await late.waitForEnd()
        #expect(late.names == ["complete"])
        await scene.store.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `who comes back to the stream of all gets what was missed, of the own customer only`() async throws {
        let scene = try await RouteScene()
        try await scene.engine.start()
        try await scene.setHooks()
        let reader = try await Reader(scene, "/api/events")
        try await scene.put("a")
        try await reader.wait(for: 1)
        #expect(reader.names == ["job.created"] && reader.data(0)?["key"]?.string == "a")
        try await scene.put("theirs", by: "otto")
        try await scene.fail(try await scene.claim(), "bad")
        let again = try await Reader(scene, "/api/events", after: reader.id(0))
        try await again.wait(for: 3)
        try await reader.wait(for: 4)
        #expect(again.names.prefix(3) == ["job.step", "job.step", "job.finished"])
        #expect(again.events.prefix(3) == reader.events.dropFirst().prefix(3))
        #expect(again.data(2)?["state"]?.string == "failed")
        let theirs = try await Reader(scene, "/api/events", as: "otto", after: reader.id(0))
        try await theirs.wait(for: 1)
        #expect(theirs.data(0)?["key"]?.string == "theirs")
        let stranger = try await Reader(scene, "/api/events", after: "1-1")
        try await stranger.wait(for: 1)
        #expect(stranger.names == ["reset"])
        // All of them end with the gateway.
        await scene.store.close()
        for reader in [reader, again, theirs, stranger] { try await reader.waitForEnd() }
    }
}
