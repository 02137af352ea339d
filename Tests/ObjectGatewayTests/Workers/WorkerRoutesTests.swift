import Bytes
import Hooks
import JSON
import Metadata
import TestSupport
import Testing

@testable import ObjectGateway

/// The worker API in process: what each request answers, and what it leaves in the store.
@Suite struct WorkerRoutesTests {
    private static func file(_ name: String, _ size: Int, _ variant: String? = nil) -> JSONValue {
        [
            "name": .string(name), "size": .integer(Int64(size)), "content_type": "image/png",
            "variant": variant.map { .string($0) } ?? .null,
        ]
    }

    @Test func `a claim says what to do, and hands out the very version of the event`() async throws {
        let scene = try await WorkScene(step: #""variants": "small""#)
        let version = try await scene.put("in/a.png", bytes("first"))
        let job = try await scene.one()
        try await scene.put("in/a.png", bytes("second"))
        #expect(job.value["kind"]?.string == "variants" && job.value["hook"]?.string == "h")
        #expect(job.value["step"]?.string == "s" && job.value["attempt"]?.integer == 1)
        #expect(job.value["version"]?.string == String(ascii: version.versionID.utf8))
        #expect(job.value["timeout_ms"]?.integer == 3_600_000 && job.value["lease_ms"]?.integer == 30_000)
        #expect(job.value["options"]?["presets"]?["small"]?["width"]?.integer == 16)
        let input = try #require(job.value["inputs"]?.array?.first)
        #expect(input["name"]?.string == "a.png" && input["size"]?.integer == 5)
        let whole = try await scene.send("GET", "jobs/\(job.id)/inputs/0", lease: job.lease)
        #expect(whole.status == 200 && whole.text == "first")
        let part = try await scene.send(
            "GET", "jobs/\(job.id)/inputs/0", lease: job.lease, headers: [("range", "bytes=1-2")])
        #expect(part.status == 206 && part.text == "ir" && part["content-range"] == "bytes 1-2/5")
        #expect(try await scene.send("GET", "jobs/\(job.id)/inputs/1", lease: job.lease).status == 404)
        #expect(try await scene.send("GET", "jobs/\(job.id)/logo", lease: job.lease).status == 404)
        let other = String(repeating: "0", count: 32)
        #expect(try await scene.send("GET", "jobs/\(job.id)/inputs/0", lease: other).status == 409)
        #expect(try await scene.send("GET", "jobs/\(job.id)/inputs/0").status == 400)
        await scene.close()
    }

    @Test func `files and the end of their job come in one, and a repeated completion doubles nothing`() async throws {
        let scene = try await WorkScene(step: #""variants": "small""#)
        let version = try await scene.put("in/a.png", bytes("x"))
        let job = try await scene.one()
        let head: JSONValue = [
            "files": [Self.file("small.png", 3, "small"), Self.file("empty.png", 0), Self.file("big.png", 200_000)]
        ]
        let content = bytes("abc") + pattern(200_000)
        let answer = try await scene.complete(job, head: head, content)
        #expect(answer.status == 200, "\(answer)")
        let folder = "photos/in/a.png/\(String(ascii: version.versionID.utf8))/s"
        let keys = ["\(folder)/big.png", "\(folder)/empty.png", "\(folder)/small.png"]
        #expect(try await scene.madeKeys() == keys)
        #expect(try await scene.made(keys[2]).text == "abc")
        #expect(try await scene.made(keys[0]).body == pattern(200_000))
        #expect(try await scene.made(keys[0])["content-type"] == "image/png")
        let group = try await scene.ended("in/a.png")
        #expect(group.state == .completed && group.steps[0].files.map(\.name) == ["small", "empty", "big"])
        let again = try await scene.complete(job, head: head, content)
        #expect(again.status == 200 && again.json?["repeated"]?.bool == true)
        let versions = try await scene.fixture.store.listVersions(
            ListVersionsQuery(
                bucket: scene.derived.id, prefix: [], delimiter: nil, keyMarker: nil, versionMarker: nil, limit: 100))
        #expect(versions.versions.count == 3)
        await scene.close()
    }

    @Test(arguments: [
        (#"{"files": [{"name": "a", "size": 5}]}"#, "abc", 400),
        (#"{"files": [{"name": "a", "size": 2}]}"#, "abc", 422),
        (#"{"files": [{"name": "a/b", "size": 0}]}"#, "", 422), (#"{"files": [{"name": "..", "size": 0}]}"#, "", 422),
        (#"{"files": [{"name": "{x}", "size": 0}]}"#, "", 422), (#"{"files": [{"name": "a", "size": -1}]}"#, "", 422),
        (#"{"files": [{"name": "a", "size": 0}, {"name": "a", "size": 0}]}"#, "", 422), ("no JSON", "", 400),
        (#"{"files": [{"name": "a", "size": 9000000000000000000}]}"#, "", 422), (#"{"other": 1}"#, "", 422),
    ])
    func `a completion that is not right changes nothing, and the job is its worker's still`(
        head: String, content: String, status: Int
    ) async throws {
        let scene = try await WorkScene(step: #""variants": "small""#)
        try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        let answer = try await scene.send(
            "POST", "jobs/\(job.id)/complete", lease: job.lease, body: bytes(head) + [10] + bytes(content))
        #expect(answer.status == status, "\(answer)")
        #expect(try await scene.madeKeys().isEmpty)
        #expect(try await scene.job(job).state == .leased)
        #expect(try await scene.complete(job, head: ["files": []]).status == 200)
        await scene.close()
    }

    @Test func `a line without end is refused`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        let endless = [UInt8](repeating: 0x20, count: CompletionBody.lineMax + 1)
        #expect(try await scene.send("POST", "jobs/\(job.id)/complete", lease: job.lease, body: endless).status == 413)
        #expect(try await scene.send("POST", "jobs/\(job.id)/complete", lease: job.lease, body: [0x20]).status == 400)
        await scene.close()
    }

    @Test func `a job whose object was deleted meanwhile is cancelled, and what it made is not there`() async throws {
        let scene = try await WorkScene(step: #""variants": "small""#)
        let version = try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        try await scene.fixture.delete("a", "versionId=\(String(ascii: version.versionID.utf8))", bucket: "photos")
        let answer = try await scene.complete(job, head: ["files": [Self.file("f.png", 1)]], bytes("f"))
        #expect(answer.status == 410)
        #expect(try await scene.madeKeys().isEmpty)
        #expect(try await scene.job(job).state == .cancelled)
        // Who could not even read it says that it failed; it is cancelled all the same.
        let second = try await scene.put("b", bytes("x"))
        let other = try await scene.one()
        try await scene.fixture.delete("b", "versionId=\(String(ascii: second.versionID.utf8))", bucket: "photos")
        #expect(try await scene.send("GET", "jobs/\(other.id)/inputs/0", lease: other.lease).status == 410)
        #expect(
            try await scene.post("jobs/\(other.id)/fail", other, ["reason": "gone"]).json?["state"]?.string
                == "cancelled")
        await scene.close()
    }

    @Test func `a failure waits as the other side asked, and a permanent one is dead with its reason`() async throws {
        let scene = try await WorkScene(step: #""probe": true, \#(WorkScene.fastRetry)"#)
        try await scene.put("a", bytes("x"))
        let first = try await scene.one()
        let failed = try await scene.post(
            "jobs/\(first.id)/fail", first, ["reason": "busy", "retry_after_s": .number(60)])
        #expect(failed.json?["state"]?.string == "waiting")
        let waiting = try await scene.job(first)
        #expect(waiting.state == .waiting && (waiting.due?.milliseconds ?? 0) - now().milliseconds > 50_000)
        try await scene.put("b", bytes("x"))
        let poison = try await scene.one()
        let answer = try await scene.post(
            "jobs/\(poison.id)/fail", poison, ["reason": "undecodable", "permanent": .bool(true)])
        #expect(answer.json?["state"]?.string == "dead")
        #expect(try await scene.ended("b").steps[0].reason == "undecodable")
        #expect(try await scene.post("jobs/\(poison.id)/fail", poison, ["reason": "x"]).status == 409)
        await scene.close()
    }

    @Test func `a file that kills its decoder three times is dead, and one that is given back loses no try`()
        async throws
    {
        let scene = try await WorkScene(step: #""probe": true, \#(WorkScene.fastRetry)"#)
        try await scene.put("a", bytes("x"))
        let given = try await scene.one()
        #expect(try await scene.post("jobs/\(given.id)/release", given).status == 204)
        for attempt in 1...3 {
            let job = try await scene.one()
            #expect(job.value["attempt"]?.integer == Int64(attempt))
            _ = try await scene.post("jobs/\(job.id)/fail", job, ["reason": "signal 11", "crash": .bool(true)])
        }
        #expect(try await scene.ended("a").steps[0].reason == "signal 11")
        await scene.close()
    }

    @Test func `a claim that nobody confirms is taken back and costs no try`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#, lease: .milliseconds(200))
        try await scene.put("a", bytes("x"))
        for _ in 0..<3 {
            let job = try #require(try await scene.claim())
            #expect(job.value["attempt"]?.integer == 1)
        }
        let job = try await scene.one()
        #expect(try await scene.job(job).crashCount == 0)
        await scene.close()
    }

    @Test func `a step takes the files of the one before it, past those that make none`() async throws {
        let scene = try await WorkScene(
            WorkScene.hook(
                #""a": {"variants": "small"}, "t": {"tag": {"done": "{a.x}"}, "after": "a"}, "d": {"deliver": "https://example.com/", "after": "t"}"#
            ))
        try await scene.put("in/a.png", bytes("x"))
        let first = try await scene.one()
        let head: JSONValue = ["files": [Self.file("small.png", 2)], "result": ["x": "yes"]]
        #expect(try await scene.complete(first, head: head, bytes("ab")).status == 200)
        let tag = try await scene.one()
        #expect(tag.value["kind"]?.string == "tag")
        #expect(try await scene.complete(tag, head: .object([])).status == 200)
        let key = try #require(ObjectKey(bytes("in/a.png")))
        let version = try #require(
            try await scene.fixture.store.version(of: key, in: scene.bucket.id, version: nil))
        #expect(version.tags == [Metadata.Tag(key: bytes("done"), value: bytes("yes"))])
        let deliver = try await scene.one()
        #expect(deliver.value["inputs"]?.array?.first?["name"]?.string == "small.png")
        #expect(deliver.value["options"]?["url"]?.string == "https://example.com/")
        #expect(try await scene.send("GET", "jobs/\(deliver.id)/inputs/0", lease: deliver.lease).text == "ab")
        await scene.close()
    }

    @Test func `a logo comes by the lease of its job, and a job without its logo waits for it`() async throws {
        let scene = try await WorkScene(
            WorkScene.hook(
                #""s": {"watermark": {"logo": "s3://photos/brand/logo.png"}, "retry": {"backoff": {"kind": "constant", "base": "100ms"}}}"#,
                more: #", "when": {"prefix": "in/"}"#))
        try await scene.put("in/a.png", bytes("x"))
        #expect(try await scene.claim(wait: .milliseconds(300)) == nil)
        let key = try #require(ObjectKey(bytes("in/a.png")))
        let group = try #require(
            try await scene.fixture.store.jobGroups(of: key, in: scene.bucket.id, limit: 1).first)
        let waiting = try await scene.fixture.store.jobs(of: group.id)
        #expect(waiting[0].reason.contains("there is no logo s3://photos/brand/logo.png"))
        try await scene.put("brand/logo.png", bytes("logo"))
        let job = try await scene.one()
        #expect(job.value["key"]?.string == "in/a.png" && (job.value["attempt"]?.integer ?? 0) > 1)
        #expect(job.value["logo"]?["etag"]?.string?.isEmpty == false)
        #expect(try await scene.send("GET", "jobs/\(job.id)/logo", lease: job.lease).text == "logo")
        await scene.close()
    }

    @Test func `a job that was cancelled is told so at the next heartbeat`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        let progress: JSONValue = ["stage": "decode", "fraction": .number(0.5)]
        #expect(try await scene.post("jobs/\(job.id)/heartbeat", job, progress).json?["held"]?.bool == true)
        let id = try #require(JobID(job.id.utf8))
        #expect(scene.engine.progress(of: id) == JobProgress(stage: "decode", fraction: 0.5))
        _ = try await scene.engine.cancel(group: try await scene.job(job).group)
        #expect(try await scene.post("jobs/\(job.id)/heartbeat", job).json?["held"]?.bool == false)
        #expect(try await scene.complete(job, head: .object([])).status == 409)
        await scene.close()
    }

    @Test func `a probe's findings are kept with the run, shortened where they are too long`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        let text = String(repeating: "t", count: 100_000)
        let result: JSONValue = ["duration": .number(1.5), "text": .string(text)]
        #expect(try await scene.complete(job, head: ["result": result]).status == 200)
        let kept = try #require(JSONValue(parsing: try await scene.ended("a").steps[0].result))
        #expect(kept["duration"]?.number == 1.5 && kept["text"] == nil && kept["text_is_left_out"]?.bool == true)
        await scene.close()
    }

    @Test func `a probe's findings become the asset's`() throws {
        var known = AssetDetails()
        known.title = bytes("Evening")
        let report = try CompletionReport(
            bytes(
                #"{"result": {"duration": 1.5, "dimensions": {"width": 40, "height": 30}, "pages": 2, "type": "document", "tags": {"artist": "Ada"}, "text": "of whales"}}"#
            ), sizeMax: 10)
        let details = known.with(report.findings)
        #expect(details.duration == 1500 && details.width == 40 && details.height == 30)
        #expect(details.title == bytes("Evening") && details.text == bytes("Ada of whales"))
        let media = details.media.flatMap { JSONValue(parsing: $0) }
        #expect(media?["pages"]?.integer == 2 && media?["tags"]?["artist"]?.string == "Ada" && media?["text"] == nil)
        let long = try CompletionReport(
            JSONValue.object([.init("result", ["text": .string(String(repeating: "ä", count: 20_000))])]).text,
            sizeMax: 10)
        // Cut between characters.
        let text = try #require(long.findings.text)
        #expect(text.count <= AssetFindings.textMax && String(validating: text, as: UTF8.self) != nil)
    }

    @Test func `a worker elsewhere needs a token, and its lease says whose`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        try await scene.put("a", bytes("x"))
        func claim(_ token: String?) async throws -> Answer {
            try await scene.send(
                "POST", "claim", body: bytes(#"{"worker": "w1"}"#),
                headers: token.map { [("authorization", "Bearer \($0)")] } ?? [], isLocal: false)
        }
        let refused = try await claim(nil)
        #expect(refused.status == 401 && refused["www-authenticate"] == "Bearer")
        #expect(try await claim("ogwt_" + String(repeating: "0", count: 48)).status == 401)
        let token = try scene.tokens.add("rack-2", at: now())
        var job: ClaimedJob?
        while job == nil {
            let answer = try await claim(token)
            #expect(answer.status == 200)
            job = answer.json?["jobs"]?.array?.first.map(ClaimedJob.init)
        }
        let claimed = try #require(job)
        #expect(try await scene.job(claimed).worker == "token:rack-2/w1")
        try scene.tokens.remove("rack-2")
        #expect(try await claim(token).status == 401)
        await scene.close()
    }

    @Test func `paths and methods that are not there are refused`() async throws {
        let scene = try await WorkScene(step: #""probe": true"#)
        let id = String(ascii: JobID(at: now()).text)
        #expect(try await scene.send("GET", "claim").status == 405)
        #expect(try await scene.send("GET", "nothing").status == 404)
        #expect(try await scene.send("GET", "jobs/no-id/inputs/0", lease: "00").status == 404)
        #expect(try await scene.send("GET", "jobs/\(id)/inputs/x").status == 404)
        #expect(try await scene.post("claim", nil, ["worker": "no/name"]).status == 422)
        #expect(try await scene.post("claim", nil, ["worker": "w", "wait_ms": .integer(1_000_000)]).status == 422)
        await scene.close()
    }

    @Test func `what a hook made sets off other hooks, and never itself`() async throws {
        let place = #""output": {"bucket": "photos", "key": "out/{stem}-{step}"}"#
        let scene = try await WorkScene(
            """
            {"hooks": [{"name": "h", "on": "object.created", \(place), "steps": {"s": {"probe": true}}},
            {"name": "second", "on": "object.created", "when": {"prefix": "out/"}, "steps": {"s": {"probe": true}}}]}
            """)
        try await scene.put("a", bytes("x"))
        let job = try await scene.one()
        #expect(job.value["hook"]?.string == "h")
        #expect(try await scene.complete(job, head: ["files": [Self.file("f.png", 1)]], bytes("f")).status == 200)
        let next = try await scene.one()
        #expect(next.value["hook"]?.string == "second" && next.value["key"]?.string == "out/f-s")
        #expect(try await scene.claim(wait: .milliseconds(200)) == nil)
        await scene.close()
    }
}
