import Bytes
import Hooks
import JSON
import Metadata
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

/// Reads with `?variant=`, over the real store and engine; the tests are the workers.
@Suite struct VariantTests {
    private static let hooks = #"""
        {"presets": {"small": {"width": 16, "height": 16, "format": "png"}, "two": {"width": 9, "format": ["webp", "jpeg"]},
                     "hooked": {"width": 8}},
         "on_demand": ["small", "two"],
         "hooks": [{"name": "h", "on": "object.created", "when": {"prefix": "in/"}, "steps": {"s": {"variants": ["hooked", "small"]}}}]}
        """#

    private func scene(wait: Duration = .seconds(30)) async throws -> WorkScene {
        let scene = try await WorkScene(Self.hooks) { $0.variantWait = wait }
        // From now on the engine knows of a worker.
        #expect(try await scene.claim(wait: .zero) == nil)
        return scene
    }

    private func file(_ name: String, _ content: String, _ variant: String) -> JSONValue {
        [
            "name": .string(name), "size": .integer(Int64(content.utf8.count)), "content_type": "image/png",
            "variant": .string(variant),
        ]
    }

    /// Does the next job as a worker would, with one file.
    private func work(_ scene: WorkScene, _ content: String, name: String = "small.png") async throws -> ClaimedJob {
        let job = try await scene.one()
        let preset = String(name.prefix { $0 != "." })
        let answer = try await scene.complete(
            job, head: ["files": [file(name, content, preset)]], bytes(content))
        #expect(answer.status == 200, "\(answer)")
        return job
    }

    private func runs(_ scene: WorkScene, _ key: String) async throws -> [JobGroup] {
        try await scene.fixture.store.jobGroups(
            of: try #require(ObjectKey(bytes(key))), in: scene.bucket.id, limit: 100)
    }

    @Test func `many who ask for one variant get it by one job, and it is stored as a step's would be`() async throws {
        let scene = try await scene()
        let version = try await scene.put("a b.png", bytes("source"))
        let answers = Lock<[Answer]>([])
        let failures = Lock<[String]>([])
        for _ in 0..<12 {
            GatewayFixture.pool.run {
                do {
                    let answer = try await scene.read("a b.png", "variant=small")
                    answers.withLock { $0.append(answer) }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        let job = try await work(scene, "picture")
        #expect(job.value["hook"]?.string == "@variant/small" && job.value["step"]?.string == "small")
        #expect(job.value["options"]?["presets"]?["small"]?["width"]?.integer == 16)
        let deadline = ContinuousClock.now + .seconds(60)
        while answers.withLock({ $0.count }) < 12, failures.withLock({ $0.isEmpty }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(failures.withLock { $0 } == [])
        #expect(answers.withLock { $0.map(\.text) } == [String](repeating: "picture", count: 12))
        let answer = try #require(answers.withLock { $0.first })
        #expect(answer.status == 200 && answer["content-type"] == "image/png" && answer["x-amz-version-id"] == nil)
        let id = String(ascii: version.versionID.utf8)
        #expect(try await scene.madeKeys() == ["photos/a b.png/\(id)/@variant/small.png"])
        #expect(try await runs(scene, "a b.png").count == 1)

        // It is an object like any other from now on.
        let etag = try #require(answer["etag"])
        #expect(try await scene.read("a b.png", "variant=small", headers: [("if-none-match", etag)]).status == 304)
        #expect(try await scene.read("a b.png", "variant=small", headers: [("if-match", "\"x\"")]).status == 412)
        let part = try await scene.read("a b.png", "variant=small.png", headers: [("range", "bytes=1-3")])
        #expect(part.status == 206 && part.text == "ict" && part["content-range"] == "bytes 1-3/7")
        let head = try await scene.read("a b.png", "variant=small", method: "HEAD")
        #expect(head.status == 200 && head.length == 7 && head["etag"] == etag)
        #expect(try await runs(scene, "a b.png").count == 1)
        // No hook heard of it.
        #expect(try await scene.fixture.store.events(after: 0, limit: 100).allSatisfy { $0.bucket == scene.bucket.id })
        await scene.close()
    }

    @Test func `a variant is its version's, and a deleted object has none`() async throws {
        let scene = try await scene(wait: .milliseconds(50))
        let first = try await scene.put("a.png", bytes("1"))
        #expect(try await scene.read("a.png", "variant=small").status == 503)
        _ = try await work(scene, "of the first")
        #expect(try await scene.read("a.png", "variant=small").text == "of the first")
        try await scene.put("a.png", bytes("2"))
        let later = try await scene.read("a.png", "variant=small")
        #expect(later.status == 503 && later["retry-after"] == "2" && later.text.contains("ServiceUnavailable"))
        _ = try await work(scene, "of the second")
        #expect(try await scene.read("a.png", "variant=small").text == "of the second")
        let query = "variant=small&versionId=\(String(ascii: first.versionID.utf8))"
        #expect(try await scene.read("a.png", query).text == "of the first")
        try await scene.fixture.delete("a.png", bucket: "photos")
        let gone = try await scene.read("a.png", "variant=small")
        #expect(gone.status == 404 && gone.text.contains("NoSuchKey"))
        await scene.close()
    }

    @Test func `what the bucket does not allow is not made, and what a hook made is served`() async throws {
        let scene = try await scene(wait: .milliseconds(50))
        try await scene.put("in/a.png", bytes("x"))
        for name in ["unknown", "hooked", "", "..", "small.exe", "small.png.png", "16x16", "%00"] {
            let answer = try await scene.read("in/a.png", "variant=\(name)")
            #expect(answer.status == 404 && answer.text.contains("NoSuchVariant"), "\(name): \(answer)")
        }
        #expect(try await runs(scene, "in/a.png").allSatisfy { $0.hook == "h" })
        #expect(try await scene.read("in/a.png", "variant=small.webp").status == 503)
        // Those of the hook, and the one on demand, which has the higher rank.
        #expect(try await work(scene, "asked for").value["hook"]?.string == "@variant/small")
        let job = try await scene.one()
        let files: JSONValue = [
            "files": [file("hooked.png", "by the hook", "hooked"), file("small.png", "hook's small", "small")]
        ]
        #expect(try await scene.complete(job, head: files, bytes("by the hookhook's small")).status == 200)
        #expect(try await scene.read("in/a.png", "variant=hooked").text == "by the hook")
        // A hook's goes before one that was made on demand.
        #expect(try await scene.read("in/a.png", "variant=small").text == "hook's small")
        #expect(try await scene.read("in/a.png", "variant=small.webp").text.contains("NoSuchVariant"))
        #expect(try await runs(scene, "in/a.png").count == 2)
        await scene.close()
    }

    @Test func `a source that cannot be decoded is refused with its reason, and not tried anew each time`()
        async throws
    {
        let scene = try await scene()
        try await scene.put("cut.png", bytes("x"))
        let first = Lock<Answer?>(nil)
        GatewayFixture.pool.run {
            let answer = try? await scene.read("cut.png", "variant=small")
            first.withLock { $0 = answer }
        }
        let job = try await scene.one()
        _ = try await scene.post(
            "jobs/\(job.id)/fail", job, ["reason": "the file ends early", "permanent": .bool(true)])
        let deadline = ContinuousClock.now + .seconds(60)
        while first.withLock({ $0 == nil }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        let again = try await scene.read("cut.png", "variant=small")
        for answer in [try #require(first.withLock { $0 }), again] {
            #expect(answer.status == 422 && answer.text.contains("VariantNotPossible"))
            #expect(answer.text.contains("the file ends early"))
        }
        #expect(try await runs(scene, "cut.png").count == 1)
        try await scene.put("empty.png", [])
        #expect(try await scene.read("empty.png", "variant=small").status == 422)
        await scene.close()
    }

    @Test func `without a worker nothing waits, and nothing is begun`() async throws {
        let scene = try await WorkScene(Self.hooks)
        try await scene.put("a.png", bytes("x"))
        let answer = try await scene.read("a.png", "variant=small")
        #expect(answer.status == 503 && answer["retry-after"] == "30" && answer.text.contains("No worker"))
        #expect(try await runs(scene, "a.png").isEmpty)
        await scene.close()
    }

    @Test func `one reader begins a bounded number, and others still get theirs`() async throws {
        let scene = try await scene(wait: .zero)
        for number in 0..<33 { try await scene.put("\(number).png", bytes("x")) }
        for number in 0..<32 {
            let answer = try await scene.read("\(number).png", "variant=small", as: .readonly)
            #expect(answer.text.contains("ServiceUnavailable"))
        }
        let refused = try await scene.read("32.png", "variant=small", as: .readonly)
        #expect(refused.status == 503 && refused.text.contains("SlowDown"))
        #expect(try await runs(scene, "32.png").isEmpty)
        #expect(try await scene.read("32.png", "variant=small", as: .admin).text.contains("ServiceUnavailable"))
        // What is under way is not begun again.
        #expect(try await scene.read("0.png", "variant=small", as: .readonly).text.contains("ServiceUnavailable"))
        _ = try await work(scene, "made")
        #expect(try await scene.read("0.png", "variant=small", as: .readonly).text == "made")
        await scene.close()
    }

    @Test func `who may read the source may read its variants, and a variant has none`() async throws {
        let scene = try await scene(wait: .zero)
        try await scene.put("a.png", bytes("x"))
        _ = try await scene.read("a.png", "variant=small")
        _ = try await work(scene, "made")
        #expect(try await scene.read("a.png", "variant=small", as: .readonly).text == "made")
        #expect(try await scene.read("a.png", "variant=small", as: .writeonly).status == 403)
        let key = try #require(try await scene.madeKeys().first)
        let twice = try await scene.fixture.send(
            "GET", wirePath("derived-assets", key), "variant=small", to: scene.gateway)
        #expect(twice.status == 400 && twice.text.contains("InvalidRequest"))
        await scene.close()
    }

    @Test func `another focal point or preset makes a variant anew, and formats are told apart`() async throws {
        let scene = try await scene(wait: .zero)
        try await scene.fixture.store.setAssets(true, of: scene.bucket.id)
        let version = try await scene.put("a.png", bytes("x"))
        _ = try await scene.read("a.png", "variant=small")
        let plain = try await work(scene, "plain")
        #expect(plain.value["options"]?["presets"]?["small"]?["crop"]?.string == "smart")
        let asset = try #require(try await scene.fixture.store.asset(of: version.key, in: scene.bucket.id))
        var details = asset.details
        details.focalPoint = FocalPoint(x: 0.25, y: 1)
        try await scene.fixture.store.setAssetDetails(details, of: asset.id)
        #expect(try await scene.read("a.png", "variant=small").status == 503)
        let around = try await work(scene, "around")
        let crop = around.value["options"]?["presets"]?["small"]?["crop"]?.array
        #expect(crop?.compactMap(\.number) == [0.25, 1])
        #expect(try await scene.read("a.png", "variant=small").text == "around")
        _ = try await scene.read("a.png", "variant=two")
        let job = try await scene.one()
        let files: JSONValue = ["files": [file("two.jpg", "J", "two"), file("two.webp", "W", "two")]]
        #expect(try await scene.complete(job, head: files, bytes("JW")).status == 200)
        // The first of the preset's formats.
        #expect(try await scene.read("a.png", "variant=two").text == "W")
        #expect(try await scene.read("a.png", "variant=two.jpg").text == "J")
        let changed = Array(Self.hooks.replacing(#""width": 16"#, with: #""width": 17"#).utf8)
        _ = try await scene.engine.setHooks(
            try HookConfiguration(parsing: changed), document: changed, of: scene.bucket.id)
        #expect(try await scene.read("a.png", "variant=small").status == 503)
        _ = try await work(scene, "wider")
        #expect(try await scene.read("a.png", "variant=small").text == "wider")
        await scene.close()
    }

    @Test func `the services listener serves a variant to those who see the object`() async throws {
        let scene = try await scene(wait: .zero)
        try await scene.fixture.store.setAssets(true, of: scene.bucket.id)
        let version = try await scene.put("in folder/a.png", bytes("x"))
        _ = try await scene.read("in folder/a.png", "variant=small")
        _ = try await work(scene, "made")
        let table = RouteTable(
            VariantRoutes(services: scene.services).routes
                + AssetRoutes(
                    store: scene.fixture.store, index: SearchIndex(scene.fixture.store), publicURL: "http://s3"
                ).routes,
            log: Log(level: .error), authenticator: ServicesAuthenticator(users: scene.fixture.users))
        let asset = try #require(try await scene.fixture.store.asset(of: version.key, in: scene.bucket.id))
        let id = String(ascii: asset.id.text)
        func get(
            _ target: String, _ fields: [(String, String)] = [], method: String = "GET",
            key: String = "KEYOFADMIN:secret-of-admin"
        )
            async throws -> Answer
        {
            let all = [("host", "h"), ("x-api-key", key)] + fields
            return try await Answer(
                collecting: await table.handle(try plainRequest(method, target, fields: all)).response)
        }
        let path = "/api/buckets/photos/objects/in%20folder%2Fa.png"
        let made = try await get("\(path)?variant=small")
        #expect(made.status == 200 && made.text == "made" && made["content-type"] == "image/png")
        #expect(made["x-content-type-options"] == "nosniff" && made["content-security-policy"] != nil)
        #expect(try await get("/api/assets/\(id)/variants/small").text == "made")
        let part = try await get("/api/assets/\(id)/variants/small", [("range", "bytes=0-1")])
        #expect(part.status == 206 && part.text == "ma")
        #expect(try await get("\(path)?variant=small", method: "HEAD").length == 4)
        #expect(try await get("\(path)?variant=none").status == 404)
        #expect(try await get(path).status == 422)
        #expect(try await get("\(path)?variant=small", key: "KEYOFWRITEONLY:secret-of-writeonly").status == 403)
        let shown = try #require(try await get("/api/assets/\(id)").json?["variants"]?.array?.first)
        #expect(shown["name"]?.string == "small" && shown["step"]?.string == "@variant")
        #expect(shown["mime_type"]?.string == "image/png" && shown["size"]?.integer == 4)
        await scene.close()
    }
}
