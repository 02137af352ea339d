import JSON
import Testing

@testable import Addons

@Suite struct AddonSettingsTests {
    private func read(_ text: String) throws -> AddonSettings {
        try AddonSettings(reading: try #require(JSONValue(parsing: Array(text.utf8))), at: "addons[0]")
    }

    @Test func `each driver has its own defaults`() throws {
        let http = try read(#"{"driver": "http", "url": "https://faces.example/", "secret": "s"}"#)
        #expect(http.timeout == .seconds(60) && http.parameters == .object([]))
        let fal = try read(#"{"driver": "fal"}"#)
        #expect(fal.url == "https://queue.fal.run" && fal.model == AddonSettings.falModel)
        let firefly = try read(#"{"driver": "firefly", "client_id": "c"}"#)
        #expect(firefly.url == "https://firefly-api.adobe.io" && firefly.tokenURL.hasSuffix("/ims/token/v3"))
    }

    @Test(arguments: [
        (#"{}"#, "addons[0].driver"), (#"{"driver": "smtp"}"#, "addons[0].driver"),
        (#"{"driver": "http"}"#, "addons[0].url"),
        (#"{"driver": "http", "url": "https://u:p@host/"}"#, "addons[0].url"),
        (#"{"driver": "http", "url": "https://h/", "model": "m"}"#, "addons[0].model"),
        (#"{"driver": "fal", "model": "../x"}"#, "addons[0].model"),
        (#"{"driver": "fal", "url": "https://h/?a=b"}"#, "addons[0].url"),
        (#"{"driver": "fal", "parameters": [1]}"#, "addons[0].parameters"),
        (#"{"driver": "fal", "timeout": "2h"}"#, "addons[0].timeout"),
        (#"{"driver": "firefly"}"#, "addons[0].client_id"),
        (#"{"driver": "firefly", "client_id": "a b"}"#, "addons[0].client_id"),
        (#"{"driver": "fal", "colour": 1}"#, "addons[0].colour"),
    ])
    func `what cannot be used is refused with its path`(text: String, path: String) throws {
        let fault = #expect(throws: JSONFault.self) { try read(text) }
        #expect(fault?.path == path)
        #expect(fault?.value?.contains("p@host") != true)
    }
}

@Suite struct AddonWordTests {
    private func read(_ text: String) throws -> AddonWord {
        try AddonWord(reading: try #require(JSONValue(parsing: Array(text.utf8))))
    }

    @Test func `what an addon says is known by its members, or by its status`() throws {
        #expect(try read(#"{"metadata": {"faces": 2}}"#) == .done(AddonAnswer(metadata: ["faces": .integer(2)])))
        #expect(try read(#"{"status": "completed"}"#) == .done(AddonAnswer()))
        #expect(try read(#"{"progress": 0.5, "stage": "look"}"#) == .progress(stage: "look", fraction: 0.5))
        #expect(try read(#"{"error": "no"}"#) == .failed(reason: "no", isPermanent: false))
        #expect(
            try read(#"{"status": "failed", "error": {"message": "bad", "permanent": true}}"#)
                == .failed(reason: "bad", isPermanent: true))
        let file = AddonAnswer.File(name: "a.glb", contentType: "model/gltf-binary", content: .url("https://h/a?x=1"))
        #expect(
            try read(
                #"{"files": [{"name": "a.glb", "content_type": "model/gltf-binary", "url": "https://h/a?x=1"}], "more": 1}"#
            )
                == .done(AddonAnswer(files: [file])))
    }

    @Test(arguments: [
        (#"[1]"#, ""), (#"{}"#, ""), (#"{"status": "odd"}"#, "status"), (#"{"progress": 2}"#, "progress"),
        (#"{"files": [{"name": "x"}]}"#, "files[0].url"),
        (#"{"files": [{"url": "file:///etc/passwd"}]}"#, "files[0].url"),
        (#"{"files": {}}"#, "files"), (#"{"error": 3}"#, "error"),
    ])
    func `what says nothing is refused with its path`(text: String, path: String) throws {
        let fault = #expect(throws: JSONFault.self) { try read(text) }
        #expect(fault?.path == path)
    }

    @Test func `metadata that is too long is refused`() throws {
        let long = String(repeating: "x", count: AddonAnswer.metadataMax)
        let fault = #expect(throws: JSONFault.self) { try read(#"{"metadata": "\#(long)"}"#) }
        #expect(fault?.path == "metadata")
    }
}

@Suite struct ResultURLTests {
    @Test func `a place to look at is a URL, or a path of the same host`() {
        let url = "https://a.example:8443/x/y?z=1"
        #expect(ResultURL.resolve("/jobs/1", against: url) == "https://a.example:8443/jobs/1")
        #expect(ResultURL.resolve("http://b.example/1", against: url) == "http://b.example/1")
        for bad in ["jobs/1", "//b.example/1", "ftp://b/", "https://u@b/", ""] {
            #expect(ResultURL.resolve(bad, against: url) == nil, "\(bad)")
        }
        #expect(ResultURL.origin(of: "HTTPS://A.example/x") == "https://a.example")
        #expect(ResultURL.origin(of: "https://a.example?x") == "https://a.example")
        #expect(ResultURL.origin(of: "https://a.example.evil/") != ResultURL.origin(of: "https://a.example/"))
    }
}
