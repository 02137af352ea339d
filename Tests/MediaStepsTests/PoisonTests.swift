import TestSupport
import Testing
import Vips

@testable import MediaSteps

/// Files that are made to harm: each ends in a permanent error with its reason, in a real helper that stays small and goes on.
@Suite struct PoisonTests {
    let studio: Studio

    init() throws {
        studio = try Studio()
        try studio.write("good.png", 60, 40) { _, _ in [200, 100, 50] }
    }

    /// Asks for each step that could take the file, and holds what comes back against the reason.
    private func refuses(
        _ bytes: [UInt8], named name: String = "poison.bin", _ helper: String, code: String, reason: String,
        steps: [String] = ["probe", "preview", "watermark", "variants"], peakMiB: Int = 150,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try studio.folder.write(name, bytes)
        let process = try HelperProcess(studio.folder, helper)
        for (id, step) in steps.enumerated() {
            let options =
                switch step {
                case "watermark": #","options":{"text":"mine","format":"png"}"#
                case "variants": #","options":{"presets":{"p":{"width":20,"height":20}}}"#
                case "transcode": #","options":{"profiles":["mp3-128k"]}"#
                default: ""
                }
            let answer = try process.ask(#"{"id":\#(id),"step":"\#(step)","input":"\#(name)"\#(options)}"#)
            #expect(answer.error?.code == code, "\(step): \(answer)", sourceLocation: sourceLocation)
            #expect(answer.error?.permanent == true, sourceLocation: sourceLocation)
            #expect(
                reason.isEmpty || answer.error?.reason.contains(reason) == true,
                "\(step): \(answer.error?.reason ?? "")", sourceLocation: sourceLocation)
        }
        #expect(process.peakMiB < peakMiB, "\(process.peakMiB) MiB", sourceLocation: sourceLocation)
        if helper != "media" {
            let next = try process.ask(#"{"id":99,"step":"probe","input":"good.png"}"#)
            #expect(next.results?.format == "png", "it goes on", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ["jpegsave", "pngsave", "webpsave", "gifsave", "tiffsave"])
    func `A picture that is cut off`(saver: String) throws {
        try studio.write("whole", 500, 400, by: saver) { x, y in
            [UInt8(truncatingIfNeeded: x &* y), UInt8(x & 255), UInt8(y & 255)]
        }
        let whole = try TemporaryFolder.read(studio.folder.file("whole"))
        try refuses(Array(whole.prefix(whole.count / 2)), "images", code: "undecodable", reason: "poison.bin")
    }

    @Test func `A bomb of 50,000 x 50,000 pixels in a PNG`() throws {
        // The header of a real PNG with other numbers in it, its check value made anew.
        try refuses(Bombs.png(width: 50_000, height: 50_000), "images", code: "limit", reason: "50000 x 50000 pixels")
    }

    @Test func `A GIF of frames without end`() throws {
        try refuses(
            Bombs.gif(frames: 50_000), "images", code: "limit", reason: "frames are more",
            steps: ["probe", "watermark", "variants"])
    }

    @Test(arguments: [
        ("<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect", "undecodable", "poison"),
        (
            "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><image href='good.png' width='9' height='9'/></svg>",
            "unsupported", "outside"
        ),
        (
            "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><image href='http://127.0.0.1:1/a.png'/></svg>",
            "unsupported", "outside"
        ),
        (
            "<!DOCTYPE svg [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>&b;</svg>",
            "unsupported", "entities"
        ),
    ])
    func `A drawing that is broken, reaches outside or grows`(text: String, code: String, reason: String) throws {
        try refuses(Array(text.utf8), "documents", code: code, reason: reason, steps: ["probe", "preview", "variants"])
    }

    @Test func `A drawing of a million by a million units, while one of a hundred thousand is shown`() throws {
        func drawing(_ side: Int) -> [UInt8] {
            Array(
                "<svg xmlns='http://www.w3.org/2000/svg' width='\(side)' height='\(side)'><rect width='9' height='9'/></svg>"
                    .utf8)
        }
        try refuses(
            drawing(1_000_000), "documents", code: "limit", reason: "1000000 x 1000000",
            steps: ["probe", "preview", "variants"])
        try studio.folder.write("a.svg", drawing(100_000))
        let process = try HelperProcess(studio.folder, "documents")
        #expect(try process.ask(#"{"id":1,"step":"probe","input":"a.svg"}"#).error == nil)
        #expect(try process.ask(#"{"id":2,"step":"preview","input":"a.svg"}"#).error == nil)
        #expect(process.peakMiB < 150)
    }

    @Test func `A PDF of a million pages, and one that only says so`() throws {
        try refuses(
            Documents.pdf(pages: ["one"], title: "t", claiming: 1_000_000, entries: 1_000_000), "documents",
            code: "limit",
            reason: "1000000 pages", steps: ["probe", "preview"], peakMiB: 250)
        try refuses(
            Documents.pdf(pages: ["one"], title: "t", claiming: 1_000_000), "documents", code: "undecodable",
            reason: "pages", steps: ["probe", "preview"])
    }

    @Test func `A PDF that is cut off`() throws {
        let whole = Documents.pdf(pages: ["one"], title: "t")
        try refuses(
            Array(whole.prefix(60)), "documents", code: "undecodable", reason: "poison.bin",
            steps: ["probe", "preview"])
    }

    @Test func `A DOCX that unpacks to gigabytes, whether it says so or not`() throws {
        let packed = Archives.deflatedRun(of: 0x20, count: 40_000_000)
        try refuses(
            Archives.zip([(name: "word/document.xml", packed: packed, method: 8, size: 4_000_000_000)]), "documents",
            code: "limit", reason: "unpacks to more", steps: ["probe"])
        try refuses(
            Archives.zip([(name: "word/document.xml", packed: packed, method: 8, size: 1_000)]), "documents",
            code: "limit", reason: "unpacks to more", steps: ["probe"])
    }

    @Test func `A name that promises another kind`() throws {
        try refuses(
            Array("only words".utf8), named: "photo.png", "documents", code: "unsupported", reason: "",
            steps: ["preview", "watermark", "variants"])
        try refuses([0, 1, 2, 3, 4, 5], named: "photo.jpg", "images", code: "unsupported", reason: "photo.jpg")
        try refuses([], named: "empty.jpg", "images", code: "unsupported", reason: "empty.jpg")
    }

    @Test func `Sound and film that are cut off or made up`() async throws {
        try await Films.film(in: studio.folder, "whole.mp4", seconds: 2)
        let whole = try TemporaryFolder.read(studio.folder.file("whole.mp4"))
        // The index lies at the end.
        try refuses(
            Array(whole.prefix(whole.count / 2)), "media", code: "undecodable", reason: "",
            steps: ["probe", "preview", "transcode"])
        try refuses(
            Array("RIFF\u{1}\u{2}\u{3}\u{4}WAVEfmt nothing of the kind".utf8), "media", code: "undecodable", reason: "",
            steps: ["probe", "preview", "transcode"])
        try refuses(
            [0x1a, 0x45, 0xdf, 0xa3] + [UInt8](repeating: 0xff, count: 4_000), "media", code: "undecodable", reason: "",
            steps: ["probe", "preview", "transcode"])
    }
}
