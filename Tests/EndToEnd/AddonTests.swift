import Glibc
import JSON
import TestSupport
import Testing
import Threads

/// Addons of a real gateway with real workers, both of which are killed while an addon is at work.
@Suite(.serialized) struct AddonEndToEnd {
    private static func with(
        _ addon: ScriptedServer, _ body: (WorkerSite) async throws -> Void
    ) async throws {
        let site = try WorkerSite(["OGW_WORKERS_MAX": "1", "OGW_OUTBOUND_ALLOW": addon.authority])
        try await site.start()
        do {
            try await body(site)
        } catch {
            _ = try? await site.end(SIGKILL)
            addon.stop()
            throw error
        }
        #expect(try await site.end(SIGTERM) == 0, "\(site.log.suffix(5_000))")
        addon.stop()
    }

    private static func register(_ site: WorkerSite, _ addon: ScriptedServer) async throws {
        let said = try await site.ogw("addons", "set", "faces", "--url", addon.url, "--secret", "s3cret")
        #expect(said.contains("faces is registered"))
        let list = try await site.ogw("addons", "list")
        #expect(list.contains("faces") && list.contains(addon.url) && !list.contains("s3cret"))
        try await site.setHooks(
            #"{"probe": false, "hooks": [{"name": "find", "on": "object.created", "steps": {"faces": {"addon": "faces", "save": "metadata.custom.faces", "retry": {"backoff": {"kind": "constant", "base": "100ms"}}}}}]}"#
        )
    }

    private static func put(_ site: WorkerSite, _ key: String) async throws {
        try site.folder.write("file", "content of \(key)".utf8)
        try await site.aws("s3", "cp", "file", "s3://image-assets/\(key)", "--content-type", "image/png")
    }

    /// The calls that hand work over.
    private static func calls(_ addon: ScriptedServer) -> [ScriptedServer.Request] {
        addon.requests.filter { $0.method == "POST" && !$0.text.contains(#""test""#) }
    }

    private static func post(_ site: WorkerSite, _ url: String, _ body: String) async throws -> String {
        try await ChildProcess.run(
            ["curl", "-sS", "--max-time", "20", "-w", " %{http_code}", "-d", body, url], folder: site.folder.path
        ).output
    }

    @Test func `an addon that calls back is called once, though the gateway is killed before and after its word`()
        async throws
    {
        let addon = try ScriptedServer { request, _ in
            request.method == "GET" ? .init(200, Array("MADE".utf8)) : .init(202)
        }
        try await Self.with(addon) { site in
            try await Self.register(site, addon)
            #expect(try await site.ogw("addons", "test", "faces").contains("faces answered"))
            try await Self.put(site, "a.png")
            try await site.wait("the parked job") {
                try await site.api("GET", "/api/jobs?bucket=image-assets&key=a.png").contains(#""state":"waiting""#)
            }
            let call = try #require(Self.calls(addon).first)
            let payload = try #require(JSONValue(parsing: call.body))
            let file = try #require(payload["files"]?.array?.first?["url"]?.string)
            let read = try await ChildProcess.run(["curl", "-sS", "-f", file], folder: site.folder.path)
            #expect(read.output == "content of a.png", "\(read.output)")
            let callback = try #require(payload["callback_url"]?.string)
            _ = try await site.end(SIGKILL)
            try await site.start()
            let word = #"{"metadata": {"count": 3}, "files": [{"name": "crop.png", "url": "\#(addon.url)/crop"}]}"#
            let said = try await Self.post(site, callback, word)
            #expect(said.hasSuffix(" 200"), "\(said)")
            _ = try await site.end(SIGKILL)
            try await site.start()
            try await site.wait("the end of the run") {
                try await site.api("GET", "/api/jobs?bucket=image-assets&key=a.png")
                    .contains(#""state":"completed","event""#)
            }
            #expect(Self.calls(addon).count == 1)
            let late = try await Self.post(site, callback, word)
            #expect(late.hasSuffix(" 410"), "\(late)")
            let assets = try await site.api("GET", "/api/assets/search?q=type:image")
            #expect(assets.contains(#""faces":{"count":3}"#), "\(assets)")
            let jobs = try await site.api("GET", "/api/jobs?bucket=image-assets&key=a.png")
            #expect(jobs.contains("/faces/crop.png") && !jobs.contains("s3cret"), "\(jobs)")
            #expect(!site.log.contains("s3cret") && !site.log.contains(callback.suffix(40)))
        }
    }

    @Test func `a worker that is killed while the addon is at work is followed by one with the same key`() async throws
    {
        let addon = try ScriptedServer { _, number in number == 0 ? nil : .json(#"{"metadata": "second"}"#) }
        try await Self.with(addon) { site in
            try await Self.register(site, addon)
            try await Self.put(site, "b.png")
            try await site.wait("the first call") { !addon.requests.isEmpty }
            for worker in site.workers() { kill(worker, SIGKILL) }
            try await site.wait("the end of the run") {
                try await site.api("GET", "/api/jobs?bucket=image-assets&key=b.png")
                    .contains(#""state":"completed","event""#)
            }
            let keys = Self.calls(addon).map { $0.fields["idempotency-key"] }
            #expect(keys.count == 2 && keys[0] == keys[1] && keys[0] != nil, "\(keys)")
        }
    }
}
