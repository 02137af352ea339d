import FoundationEssentials
import TestSupport
import Testing

@testable import MediaSteps

@Suite struct HelperTests {
    let studio: Studio

    init() throws {
        studio = try Studio()
        try studio.write("logo.png", 100, 50) { _, _ in [220, 20, 30, 255] }
    }

    private var folder: TemporaryFolder { studio.folder }

    @Test func `It says first what it has given up`() throws {
        let ready = try #require(try HelperProcess(folder, "documents").line())
        #expect(ready.ready == true && ready.class == "documents")
        #expect(ready.sandbox?.seccomp == true && ready.sandbox?.limits == true)
    }

    @Test func `A watermark and its variants come out as files`() throws {
        try studio.write("a.jpg", 1600, 1200, by: "jpegsave") { x, y in [UInt8(x / 8), UInt8(y / 8), 90] }
        let helper = try HelperProcess(folder)
        let marked = try helper.ask(#"{"id":1,"step":"watermark","input":"a.jpg","options":{"logo":"logo.png"}}"#)
        #expect(marked.id == 1 && marked.outputs?.map(\.file) == ["1-watermarked.jpg"])
        let request =
            #"{"id":2,"step":"variants","input":"1-watermarked.jpg","options":{"presets":{"square":{"ratio":"1:1","width":108,"crop":"smart","format":"jpeg","quality":95},"story":{"ratio":"9:16","width":108,"format":["webp","png"]},"point":{"width":50,"height":50,"crop":[0.9,0.1]}}}}"#
        let made = try helper.ask(request)
        #expect(made.outputs?.map(\.file) == ["2-point.jpg", "2-square.jpg", "2-story.webp", "2-story.png"])
        for output in made.outputs ?? [] {
            let pixels = try studio.read(output.file)
            #expect(pixels.width == output.width && pixels.height == output.height)
            #expect(try folder.size(of: output.file) == output.size)
        }
    }

    @Test func `Progress is told before the end, in stages`() throws {
        try studio.write("a.jpg", 3000, 2000, by: "jpegsave") { x, y in
            [UInt8(truncatingIfNeeded: x &* y), UInt8(x & 255), 9]
        }
        let helper = try HelperProcess(folder)
        helper.send(
            #"{"id":7,"step":"variants","input":"a.jpg","options":{"presets":{"big":{"width":2999,"format":"jpeg"}}}}"#)
        var stages: [String] = []
        while let line = try helper.line(), line.outputs == nil {
            #expect(line.error == nil)
            if let progress = line.progress {
                stages.append(progress.stage)
                #expect(line.id == 7 && (0...1).contains(progress.fraction))
            }
        }
        #expect(stages.first == "read" && stages.contains("big"))
    }

    @Test(arguments: [
        ("nonsense", "no JSON object"), (#"{"id":5}"#, "input is missing"),
        (#"{"id":5,"input":"a.png","step":"melt"}"#, "step"),
        (#"{"id":5,"input":"a.png","step":"watermark"}"#, "options"),
        (#"{"id":5,"input":"a.png","step":"variants","options":{"presets":{"p":{"ratio":"wide"}}}}"#, "ratio: 'wide'"),
        (#"{"id":5,"input":"a.png","step":"variants","options":{"presets":{}}}"#, "presets"),
        (#"{"id":5,"input":"a.png","step":"variants","options":{"presets":{"p":{"width":0}}}}"#, "preset p: 0 pixels"),
        (#"{"id":5,"input":"../a.png","step":"probe"}"#, "no name"),
        (#"{"id":5,"input":"a.png[n=-1]","step":"probe"}"#, "no name"),
        (#"{"id":5,"input":"a.png","step":"watermark","options":{"logo":"l","at":"middle"}}"#, "at: 'middle'"),
    ])
    func `What is no request gets an error that says why, and the helper goes on`(request: String, reason: String)
        throws
    {
        try studio.write("a.png", 8, 8) { _, _ in [1, 2, 3] }
        let helper = try HelperProcess(folder)
        let answer = try helper.ask(request)
        #expect(answer.error?.code == "options" && answer.error?.permanent == true)
        #expect(answer.error?.reason.contains(reason) == true, "\(answer.error?.reason ?? "")")
        #expect(try helper.ask(#"{"id":6,"step":"probe","input":"a.png"}"#).results?.format == "png")
    }

    @Test func `It ends with its input, at once, even amid a step`() throws {
        let idle = try HelperProcess(folder)
        _ = try idle.line()
        idle.hangUp()
        #expect(idle.status == 0)
        try studio.write("a.png", 4000, 4000) { x, y in [UInt8(truncatingIfNeeded: x &* y), UInt8(x & 255), 9] }
        let busy = try HelperProcess(folder)
        busy.send(
            #"{"id":1,"step":"variants","input":"a.png","options":{"presets":{"p":{"width":3999,"format":"avif"}}}}"#)
        while let line = try busy.line(), line.progress?.stage != "p" {}
        busy.hangUp()
        #expect(busy.status == 0)
    }

    @Test func `A step that passes its time ends with an error, and the next one is served`() throws {
        try studio.write("a.png", 3000, 3000) { x, y in [UInt8(truncatingIfNeeded: x &* y), UInt8(x & 255), 9] }
        let helper = try HelperProcess(folder)
        let late = try helper.ask(
            #"{"id":1,"step":"variants","input":"a.png","timeout_ms":200,"options":{"presets":{"p":{"width":2999,"format":"avif"}}}}"#
        )
        #expect(late.error?.code == "timeout" && late.error?.permanent == false)
        #expect(!studio.exists("1-p.avif"))
        #expect(try helper.ask(#"{"id":2,"step":"probe","input":"logo.png"}"#).error == nil)
    }

    @Test(arguments: ["images", "documents", "media"])
    func `From inside, neither sockets nor other files nor programs can be reached`(helper: String) async throws {
        struct Check: Decodable {
            let sandbox: HelperProcess.Line.Sandbox; let refused: [String]; let allowed: [String]
        }
        let ending = try await ChildProcess.run(
            [HelperProcess.program, "--check-sandbox", "--folder", folder.path, "--class", helper], folder: folder.path)
        let check = try JSONDecoder().decode(Check.self, from: Data(ending.output.utf8))
        var refused = ["socket", "unix-socket", "io-uring"]
        if check.sandbox.landlock > 0 { refused += ["read-outside", "write-outside", "write-system"] }
        if check.sandbox.landlock > 5 || helper != "media" { refused.append("signal-parent") }
        if helper != "media" {
            refused += ["run-program", "run-ffmpeg"]
        } else if check.sandbox.landlock > 0 {
            refused.append("run-program")
        }
        #expect(Set(check.refused).isSuperset(of: refused), "\(check)")
        #expect(check.allowed.contains("write-inside"))
    }

    @Test func `Film is shown by a helper of class media inside its sandbox`() async throws {
        try await Films.film(in: folder, "a.webm", seconds: 2)
        let helper = try HelperProcess(folder, "media")
        let answer = try helper.ask(#"{"id":1,"step":"preview","input":"a.webm"}"#)
        #expect(answer.outputs?.map(\.name) == ["poster.jpg", "animation.webp"], "\(answer.error?.reason ?? "")")
        let made = try helper.ask(
            #"{"id":2,"step":"transcode","input":"a.webm","options":{"profiles":["h264-720p","mp3-128k"]}}"#)
        #expect(made.outputs?.count == 2, "\(made.error?.reason ?? "")")
    }

    @Test func `Documents are shown by a helper of their class, and others name it`() throws {
        try folder.write("a.pdf", Documents.pdf(pages: ["Hello"], title: "t"))
        let images = try HelperProcess(folder)
        let handed = try images.ask(#"{"id":1,"step":"preview","input":"a.pdf"}"#)
        #expect(handed.error?.code == "class" && handed.error?.class == "documents")
        let documents = try HelperProcess(folder, "documents")
        let page = try documents.ask(#"{"id":1,"step":"preview","input":"a.pdf"}"#)
        #expect(page.outputs?.map(\.name) == ["page-1.jpg"], "\(page.error?.reason ?? "")")
        #expect(
            try documents.ask(#"{"id":2,"step":"watermark","input":"logo.png","options":{"text":"mine"}}"#).outputs?
                .count == 1)
    }

    @Test func `Fifty steps leave it no larger than five`() throws {
        try studio.write("a.jpg", 1600, 1200, by: "jpegsave") { x, y in [UInt8(x / 8), UInt8(y / 8), 90] }
        let helper = try HelperProcess(folder)
        func round(_ id: Int) throws {
            let answer = try helper.ask(
                #"{"id":\#(id),"step":"watermark","input":"a.jpg","options":{"logo":"logo.png"}}"#)
            #expect(answer.error == nil)
        }
        for id in 1...5 { try round(id) }
        let early = helper.peakMiB
        for id in 6...50 { try round(id) }
        #expect(helper.peakMiB <= early + 12, "\(early) MiB, then \(helper.peakMiB)")
    }
}

extension TemporaryFolder {
    fileprivate func size(of name: String) throws -> Int { try TemporaryFolder.read(file(name)).count }
}
