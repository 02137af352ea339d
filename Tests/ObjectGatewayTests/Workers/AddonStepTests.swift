import JSON
import TestSupport
import Testing
import Threads

@testable import ObjectGateway

/// The step `addon`, from the object that sets it off to what it leaves.
@Suite struct AddonStepTests {
    private static func step(_ run: JSONValue) -> JSONValue? { run["steps"]?.array?.first }

    private static func isParked(_ run: JSONValue) -> Bool { step(run)?["state"] == "waiting" }

    @Test func `what an addon finds at once is saved in the asset, and it was told all that it needs`() async throws {
        let site = try await AddonSite(step: #", "save": "metadata.custom.ai.faces""#) { _, _ in
            .json(#"{"metadata": {"count": 2}}"#)
        }
        try await site.put("rose.png", "PIXELS")
        let run = try await site.ended("rose.png")
        #expect(run["state"] == "completed", "\(run)")
        #expect(Self.step(run)?["result"] == ["metadata": ["count": .integer(2)]])
        let sent = try await site.payload()
        #expect(sent["event"]?["eventName"] == "ObjectCreated:Put")
        #expect(sent["event"]?["s3"]?["object"]?["rawKey"] == "rose.png")
        #expect(sent["asset"]?["name"] == "rose.png" && sent["asset"]?["type"] == "image")
        #expect(sent["user"]?["id"] == "root" && sent["user"]?["roles"] == ["admin"])
        #expect(sent["callback_url"]?.string?.contains("/api/addon-callbacks/") == true)
        let url = try #require(sent["files"]?.array?.first?["url"]?.string)
        // The presigned URL is of the very version, whatever comes after.
        try await site.put("rose.png", "OTHER")
        #expect(String(decoding: try await site.get(url), as: UTF8.self) == "PIXELS")
        let asset = try #require(sent["asset"]?["asset_id"]?.string)
        let custom = try await site.ask("GET", "/api/assets/\(asset)")["metadata"]?["custom"]
        #expect(custom?["ai"]?["faces"]?["count"] == .integer(2))
        await site.close()
    }

    @Test func `an addon calls back with progress, metadata and files, and its word counts once`() async throws {
        let site = try await AddonSite { request, _ in
            request.method == "GET" ? .init(200, Array("MESH".utf8)) : .init(202)
        }
        try await site.put("a.png", "PIXELS")
        let callback = try #require(try await site.payload()["callback_url"]?.string)
        _ = try await site.run(of: "a.png", until: Self.isParked)
        let progress = try await site.send("POST", url: callback, #"{"progress": 0.5, "stage": "mesh"}"#)
        #expect(progress.status == 200 && progress.json?["state"] == "waiting")
        let half = try await site.run(of: "a.png", until: Self.isParked)
        #expect(Self.step(half)?["fraction"]?.number == 0.5 && Self.step(half)?["stage"] == "mesh")
        for bad in ["[]", "{}", #"{"files": [{"url": "file:///etc/passwd"}]}"#] {
            #expect(try await site.send("POST", url: callback, bad).status == 422)
        }
        let done = #"{"metadata": 1, "files": [{"name": "m.glb", "url": "\#(site.addon.url)/m?sig=1"}]}"#
        #expect(try await site.send("POST", url: callback, done).status == 200)
        let run = try await site.ended("a.png")
        #expect(run["state"] == "completed", "\(run)")
        #expect(Self.step(run)?["attempt"] == .integer(1))
        let key = try #require(Self.step(run)?["files"]?.array?.first?["key"]?.string)
        #expect(key.hasSuffix("/s/m.glb"))
        #expect(try await site.object(key) == "MESH")
        // Late, and a second time: nobody waits for it, and nothing comes of it.
        for body in [done, #"{"progress": 0.9}"#] {
            #expect(try await site.send("POST", url: callback, body).status == 410)
        }
        #expect(try await site.ended("a.png") == run)
        await site.close()
    }

    @Test func `an addon that names a place is looked at there, without a worker that waits`() async throws {
        let site = try await AddonSite { request, number in
            switch number {
            case 0: .json("{}", status: 202, fields: [("location", "/w/1"), ("retry-after", "1")])
            case 1: .init(503)
            case 2: .json(#"{"status": "processing"}"#)
            default: .json(#"{"metadata": "found"}"#)
            }
        }
        try await site.put("a.png", "PIXELS")
        let run = try await site.ended("a.png")
        #expect(run["state"] == "completed" && Self.step(run)?["result"]?["metadata"] == "found", "\(run)")
        #expect(Self.step(run)?["attempt"] == .integer(1))
        #expect(site.addon.requests.map(\.target) == ["/", "/w/1", "/w/1", "/w/1"])
        await site.close()
    }

    @Test func `tries of one step have one key, and the reason of the last is kept`() async throws {
        let site = try await AddonSite { _, number in
            number < 2 ? .init(500, Array("boom".utf8)) : .json("nonsense")
        }
        try await site.put("a.png", "PIXELS")
        let run = try await site.ended("a.png")
        #expect(run["state"] == "failed" && Self.step(run)?["attempt"] == .integer(3))
        #expect(Self.step(run)?["reason"]?.string?.contains("no JSON object") == true, "\(run)")
        let keys = Set(site.addon.requests.map { $0.fields["idempotency-key"] })
        #expect(site.addon.requests.count == 3 && keys.count == 1 && keys.first??.hasSuffix("/s") == true)
        await site.close()
    }

    @Test func `work whose time is over begins anew, and a call back after the end is 410`() async throws {
        let site = try await AddonSite(step: #", "timeout": "1s""#) { _, _ in .init(202) }
        try await site.put("a.png", "PIXELS")
        let run = try await site.ended("a.png")
        #expect(run["state"] == "failed" && site.addon.requests.count == 3, "\(run)")
        #expect(Self.step(run)?["reason"]?.string?.contains("no answer within 1s") == true)
        let callback = try #require(try await site.payload()["callback_url"]?.string)
        #expect(try await site.send("POST", url: callback, #"{"metadata": 1}"#).status == 410)
        await site.close()
    }

    @Test func `a word that the addon failed for good ends the step, with its reason`() async throws {
        let site = try await AddonSite { _, _ in .init(202) }
        try await site.put("a.png", "PIXELS")
        let callback = try #require(try await site.payload()["callback_url"]?.string)
        let failed = #"{"status": "failed", "error": {"message": "no face", "permanent": true}}"#
        #expect(try await site.send("POST", url: callback, failed).status == 200)
        let run = try await site.ended("a.png")
        #expect(run["state"] == "failed" && Self.step(run)?["reason"]?.string?.contains("no face") == true, "\(run)")
        #expect(site.addon.requests.count == 1)
        await site.close()
    }

    @Test func `results are fetched under the rules for outgoing calls, and redirects are not followed`() async throws {
        let site = try await AddonSite { request, _ in
            if request.method == "GET" {
                return .init(302, fields: [("location", "http://169.254.169.254/latest/")])
            }
            let url =
                request.text.contains("\"private.png\"")
                ? "http://127.0.0.1:1/x" : "http://\(request.fields["host"] ?? "")/m"
            return .json(#"{"files": [{"url": "\#(url)"}]}"#)
        }
        try await site.put("private.png", "PIXELS")
        let refused = try await site.ended("private.png")
        #expect(Self.step(refused)?["reason"]?.string?.contains("private network") == true, "\(refused)")
        try await site.put("redirect.png", "PIXELS")
        let redirected = try await site.ended("redirect.png")
        #expect(Self.step(redirected)?["reason"]?.string?.contains("answered 302") == true, "\(redirected)")
        #expect(Self.step(redirected)?["attempt"] == .integer(1))
        await site.close()
    }

    @Test func `the queue of fal is gone through, and its model becomes a file`() async throws {
        let site = try await AddonSite(driver: "fal") { request, number in
            let base = "http://\(request.fields["host"] ?? "")"
            return switch request.target {
            case "/r/status": .json(number < 2 ? #"{"status": "IN_QUEUE"}"# : #"{"status": "COMPLETED"}"#)
            case "/r":
                .json(#"{"model_mesh": {"url": "\#(base)/files/tripo.glb", "content_type": "model/gltf-binary"}}"#)
            case "/files/tripo.glb": .init(200, Array("glTF".utf8))
            default:
                .json(
                    #"{"status_url": "\#(base)/r/status", "response_url": "\#(base)/r", "cancel_url": "\#(base)/r/cancel"}"#
                )
            }
        }
        try await site.put("a.png", "PIXELS")
        let run = try await site.ended("a.png")
        #expect(run["state"] == "completed", "\(run)")
        let file = Self.step(run)?["files"]?.array?.first
        #expect(file?["content_type"] == "model/gltf-binary" && file?["key"]?.string?.hasSuffix("/s/tripo.glb") == true)
        // The key of the queue is sent to the queue, not to where its files lie.
        let fetched = site.addon.requests.first { $0.target.hasPrefix("/files") }
        #expect(fetched != nil && fetched?.fields["authorization"] == nil)
        await site.close()
    }

    @Test func `steps that save beside one another each leave what they found`() async throws {
        let site = try await AddonSite { request, _ in .json(#"{"metadata": 1}"#) }
        let steps = (0..<6).map { #""s\#($0)": {"addon": "a", "save": "metadata.custom.x.n\#($0)"}"# }
        try await site.ask(
            "PUT", "/api/buckets/image-assets/hooks",
            #"{"hooks": [{"name": "h", "on": "object.created", "steps": {\#(steps.joined(separator: ","))}}]}"#)
        try await site.put("a.png", "PIXELS")
        let run = try await site.ended("a.png")
        #expect(run["state"] == "completed")
        let asset = try #require(try await site.payload()["asset"]?["asset_id"]?.string)
        let custom = try await site.ask("GET", "/api/assets/\(asset)")["metadata"]?["custom"]?["x"]
        for number in 0..<6 { #expect(custom?["n\(number)"] == .integer(1)) }
        await site.close()
    }
}
