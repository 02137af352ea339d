import Files
import Glibc
import TestSupport
import Testing

/// Variants on demand, the built-in probe and poison: `ogw serve` with the workers that it starts, curl and aws as clients.
@Suite(.serialized) struct VariantEndToEnd {
    private static func with(
        _ settings: [String: String] = [:], _ body: (WorkerSite) async throws -> Void
    ) async throws {
        let site = try WorkerSite(settings)
        try await site.start()
        do {
            try await body(site)
        } catch {
            _ = try? await site.end(SIGKILL)
            throw error
        }
        #expect(try await site.end(SIGTERM) == 0, "\(site.log.suffix(5_000))")
    }

    /// A signed request to the S3 listener. Returns the status; the body goes to `file`.
    private static func curl(
        _ site: WorkerSite, _ path: String, _ file: String, _ more: String...
    ) async throws -> String {
        try await ChildProcess.run(
            [
                try tool("curl"), "-sS", "--max-time", "100", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u",
                "\(WorkerSite.accessKey):\(WorkerSite.secretKey)", "-H",
                "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-o", file, "-w", "%{http_code} %header{etag}",
            ] + more + ["http://\(site.s3)/\(path)"], folder: site.folder.path, timeout: .seconds(120)
        ).output
    }

    private static let presets = """
        {"presets": {"square": {"ratio": "1:1", "width": 300, "format": "jpeg", "crop": "smart"},
                     "tall": {"width": 100, "height": 300, "crop": "focal", "format": "png"}},
         "on_demand": ["square", "tall"]}
        """

    @Test func `a variant is made once, for all who ask for it, and anew for another version`() async throws {
        try await Self.with(["OGW_VARIANT_WAIT": "100s"]) { site in
            try await site.setHooks(Self.presets)
            try await site.python("write_scene", site.folder.path)
            try await site.aws("s3", "cp", "photo.jpg", "s3://image-assets/trips/photo.jpg")
            let path = "image-assets/trips/photo.jpg?variant=square"
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<8 { group.addTask { try await Self.curl(site, path, "made\(number).jpg") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers).count == 1 && answers.allSatisfy { $0.hasPrefix("200 ") }, "\(answers)")
            try await site.python("measure", site.folder.file("made7.jpg"), "300", "300")
            let jobs = try await site.api("GET", "/api/jobs?hook=@variant/square")
            #expect(jobs.split(separator: #""hook":"@variant/square""#).count == 2, "one run: \(jobs)")
            // The asset lists it.
            let found = try await site.api("GET", "/api/assets/search?q=photo")
            let id = try #require(found.split(separator: #""asset_id":""#).last?.split(separator: "\"").first)
            let asset = try await site.api("GET", "/api/assets/\(id)")
            #expect(asset.contains(#""name":"square","step":"@variant""#), "\(asset)")
            #expect(asset.contains("/@variant/square.jpg"), "\(asset)")
            // Another version has another variant.
            try await site.python("write_focus", site.folder.path)
            try await site.aws(
                "s3", "cp", "focus.jpg", "s3://image-assets/trips/photo.jpg", "--metadata",
                #"{"focal-point":"0.9,0.9"}"#)
            let second = try await Self.curl(site, path, "second.jpg")
            #expect(second.hasPrefix("200 ") && second != answers[0], "\(second)")
            try await site.python("measure", site.folder.file("second.jpg"), "300", "300")
            // Seen, the picture is 600 x 800 with yellow at the right below; it was stored turned.
            let tall = "image-assets/trips/photo.jpg?variant=tall"
            #expect(try await Self.curl(site, tall, "tall.png").hasPrefix("200 "))
            try await site.python("measure", site.folder.file("tall.png"), "100", "300")
            for (point, colour) in [
                (#"{"x": 0.25, "y": 0.25}"#, ["200", "0", "0"]), (#"{"x": 0.75, "y": 0.25}"#, ["0", "200", "0"]),
                (#"{"x": 0.25, "y": 0.75}"#, ["0", "0", "200"]), (#"{"x": 0.75, "y": 0.75}"#, ["200", "200", "0"]),
            ] {
                let set = try await site.api("PUT", "/api/assets/\(id)/focal-point", point)
                #expect(set.contains(#""focal_point":{"#), "\(set)")
                #expect(try await Self.curl(site, path, "around.jpg").hasPrefix("200 "))
                #expect(try await Self.curl(site, tall, "around.png").hasPrefix("200 "))
                try await site.python(
                    "corner", site.folder.file("around.png"), point, colour.joined(separator: ","))
            }
            #expect(try await Self.curl(site, "image-assets/trips/photo.jpg?variant=none", "no").hasPrefix("404"))
            try await site.aws("s3", "rm", "s3://image-assets/trips/photo.jpg")
            #expect(try await Self.curl(site, path, "gone").hasPrefix("404"))
        }
    }

    @Test func `what comes into a bucket of assets is probed, whatever it is, and found by what it is`() async throws {
        try await Self.with { site in
            try await site.python("write_kinds", site.folder.path)
            try await site.python("write_poison", site.folder.path)
            for (file, bucket) in [
                ("noise.png", "image-assets"), ("cut.jpg", "image-assets"), ("bomb.png", "image-assets"),
                ("tone.wav", "audio-assets"), ("note.txt", "document-assets"), ("random.bin", "document-assets"),
                ("zeros.dat", "video-assets"), ("random.bin", "image-assets"),
            ] { try await site.aws("s3", "cp", file, "s3://\(bucket)/\(file)") }
            try await site.wait("the end of all probes") {
                let all = try await site.api("GET", "/api/jobs?hook=@probe")
                return all.split(separator: #""hook":"@probe","state":"completed""#).count == 9
            }
            #expect(try await site.api("GET", "/api/jobs/dead").hasPrefix(#"{"dead":[]"#))
            func finds(_ query: String, _ name: String) async throws {
                try await site.wait("\(name) by \(query)", within: .seconds(30)) {
                    let answer = try await site.api("GET", "/api/assets/search?q=\(query)")
                    return answer.split(separator: #""asset_id""#).count == 2
                        && answer.contains(#""name":"\#(name)""#)
                }
            }
            try await finds("zeppelins", "note.txt")
            try await finds("duration:%3E10s", "tone.wav")
            try await finds("width:320..320", "noise.png")
            let picture = try await site.api("GET", "/api/assets/search?q=noise")
            #expect(picture.contains(#""dominant_colour":"#) && picture.contains(#""placeholder":"#), "\(picture)")
            #expect(picture.contains(#""dimensions":{"width":320,"height":200}"#), "\(picture)")
        }
    }

    /// The gateway's memory, in KiB.
    private static func resident(_ site: WorkerSite) -> Int {
        let status = String(decoding: (try? TemporaryFolder.read("/proc/\(site.pid)/status")) ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
    }

    @Test func `poison ends among the dead letters with its reason, and the gateway stays small`() async throws {
        try await Self.with { site in
            try await site.setHooks(
                #"{"probe": false, "presets": {"tiny": {"width": 16}}, "hooks": [{"name": "cut", "on": "object.created", "steps": {"small": {"variants": "tiny"}}}]}"#
            )
            try await site.python("write_poison", site.folder.path)
            let files = ["cut.jpg", "bomb.png", "broken.svg", "endless.gif"]
            try await site.aws("s3", "cp", "cut.jpg", "s3://temp-uploads/warm.jpg")
            let before = Self.resident(site)
            for file in files { try await site.aws("s3", "cp", file, "s3://image-assets/\(file)") }
            try await site.wait("four dead letters") {
                try await site.api("GET", "/api/jobs/dead").split(separator: #""hook":"cut""#).count == 5
            }
            let after = Self.resident(site)
            #expect(before > 0 && after - before < 24 << 10, "\(before) KiB before, \(after) after")
            let dead = try await site.api("GET", "/api/jobs/dead")
            for file in files { #expect(dead.contains(#""key":"\#(file)""#), "\(file): \(dead)") }
            #expect(dead.contains("50000 x 50000 pixels") && !dead.contains(#""reason":"""#), "\(dead)")
            #expect(!dead.contains(#""attempt":2"#), "each at its first try: \(dead)")
        }
    }
}
