import TestSupport
import Testing
import Vips

@testable import MediaSteps

@Suite struct ProbeStepTests {
    let studio: Studio

    init() throws { studio = try Studio() }

    private func probe(_ name: String, _ helper: HelperClass = .images) throws -> ProbeResult {
        try ProbeStep(studio.context(helper)).run(name)
    }

    @Test(arguments: [
        ("jpegsave", "jpeg"), ("pngsave", "png"), ("webpsave", "webp"), ("gifsave", "gif"), ("tiffsave", "tiff"),
    ])
    func `A picture is told by its content, whatever its name`(saver: String, format: String) throws {
        try studio.write("photo.txt", 120, 80, by: saver) { x, _ in x < 90 ? [200, 30, 40] : [20, 30, 200] }
        let result = try probe("photo.txt")
        #expect(result.type == .image && result.format == format && result.mime == "image/\(format)")
        #expect(result.dimensions == .init(width: 120, height: 80))
        let colour = try #require(result.dominantColour.flatMap { Colour($0) })
        #expect(abs(Int(colour.red) - 200) < 12 && abs(Int(colour.green) - 30) < 12 && abs(Int(colour.blue) - 40) < 12)
        #expect((result.placeholder?.utf8.count ?? 0) > 20)
    }

    @Test func `Dimensions are those that are seen`() throws {
        let turned: Studio.Change = { picture in
            let copy = try picture.copy()
            copy.set("orientation", 6)
            return copy
        }
        try studio.write("a.jpg", 120, 80, by: "jpegsave", change: turned) { _, _ in [1, 2, 3] }
        let result = try probe("a.jpg")
        #expect(result.dimensions == .init(width: 80, height: 120) && result.orientation == 6)
        #expect(result.exif?["Orientation"] != nil)
    }

    @Test func `An animation tells its frames`() throws {
        let frames: Studio.Change = { picture in
            let copy = try picture.copy()
            copy.set("page-height", 10)
            return copy
        }
        try studio.write("a.gif", 10, 50, by: "gifsave", change: frames) { x, y in [UInt8(x * 9), UInt8(y * 5), 0] }
        let result = try probe("a.gif")
        #expect(result.frames == 5 && result.dimensions == .init(width: 10, height: 10))
    }

    @Test func `Sound tells its length, codec and tags`() async throws {
        for (name, format, codec, arguments) in [
            ("a.wav", "wav", "pcm_s16le", []), ("a.mp3", "mp3", "mp3", ["-c:a", "libmp3lame", "-b:a", "128k"]),
            ("a.ogg", "ogg", "vorbis", ["-c:a", "libvorbis"]), ("a.flac", "flac", "flac", []),
        ] as [(String, String, String, [String])] {
            try await Films.sound(
                in: studio.folder, name, seconds: 2,
                ["-metadata", "title=Tone", "-metadata", "artist=Tester"] + arguments)
            let result = try probe(name, .media)
            #expect(result.type == .audio && result.format == format && result.audioCodec == codec)
            #expect(abs((result.duration ?? 0) - 2) < 0.1 && result.sampleRate == 44_100 && result.channels == 1)
            #expect((result.bitrate ?? 0) > 10_000)
            #expect(result.tags?["title"] == "Tone", "\(name): \(result.tags ?? [:])")
            #expect(result.tags?["artist"] == "Tester")
        }
    }

    @Test func `Film tells its size, length, rate and codecs`() async throws {
        for (name, format, codec) in [("a.mp4", "mp4", "h264"), ("a.webm", "webm", "vp9"), ("a.avi", "avi", "mpeg4")] {
            try await Films.film(in: studio.folder, name, seconds: 2)
            let result = try probe(name, .media)
            #expect(result.type == .video && result.format == format && result.videoCodec == codec)
            #expect(result.dimensions == .init(width: 320, height: 180))
            #expect(abs((result.duration ?? 0) - 2) < 0.2 && result.frameRate == 10)
            #expect(result.audioCodec != nil && result.placeholder != nil && result.dominantColour != nil)
        }
    }

    @Test func `A PDF tells its pages, title and text`() throws {
        try studio.folder.write(
            "a.pdf", Documents.pdf(pages: ["First page here", "Second one (there)"], title: "Two pages"))
        let result = try probe("a.pdf", .documents)
        #expect(result.type == .document && result.pages == 2 && result.tags?["title"] == "Two pages")
        #expect(result.text == "First page here Second one (there)")
    }

    @Test func `A DOCX tells its text, pages and title`() throws {
        try studio.folder.write("a.docx", Documents.docx(["Hello & goodbye", "second"], title: "Letter", pages: 3))
        let result = try probe("a.docx", .documents)
        #expect(result.format == "docx" && result.pages == 3 && result.tags?["title"] == "Letter")
        #expect(result.text == "Hello & goodbye second")
    }

    @Test func `A text tells its beginning`() throws {
        try studio.folder.write("a.txt", Array("Grüße  an\nalle\n".utf8))
        #expect(try probe("a.txt", .documents).text == "Grüße an alle")
        try studio.folder.write("long.txt", [UInt8](repeating: 0x61, count: 2 << 20))
        #expect(try probe("long.txt", .documents).text?.utf8.count == 256 << 10)
    }

    @Test func `A drawing tells its size`() throws {
        try studio.folder.write(
            "a.svg",
            Array(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" height=\"32\"><rect width=\"64\" height=\"32\" fill=\"#0000ff\"/></svg>"
                    .utf8))
        let result = try probe("a.svg", .documents)
        #expect(
            result.format == "svg" && result.dimensions == .init(width: 64, height: 32)
                && result.dominantColour == "#0000ff")
    }

    @Test(arguments: [
        ("a.pdf", HelperClass.documents), ("a.svg", .documents), ("a.wav", .media), ("a.txt", .documents),
    ])
    func `What another class takes is handed on to it`(name: String, helper: HelperClass) throws {
        try studio.folder.write("a.pdf", Documents.pdf(pages: ["x"], title: "t"))
        try studio.folder.write(
            "a.svg", Array("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>".utf8))
        try studio.folder.write("a.wav", Array("RIFF....WAVEfmt ".utf8))
        try studio.folder.write("a.txt", Array("text".utf8))
        #expect {
            try probe(name)
        } throws: { error in
            let error = error as? MediaError
            return error?.code == .helper && error?.helper == helper && error?.permanent == false
        }
    }

    @Test func `Without ffmpeg the error says so, and may pass`() throws {
        try studio.folder.write("a.wav", Array("RIFF....WAVEfmt ".utf8))
        let context = studio.context(.media, programs: Programs(ffmpeg: nil, ffprobe: nil))
        #expect {
            try ProbeStep(context).run("a.wav")
        } throws: { error in
            let error = error as? MediaError
            return error?.code == .program && error?.permanent == false && error?.reason.contains("ffmpeg") == true
        }
    }
}
