import FoundationEssentials
import TestSupport
import Testing
import Vips

@testable import MediaSteps

@Suite struct PreviewStepTests {
    let studio: Studio

    init() throws { studio = try Studio() }

    private func preview(_ name: String, _ helper: HelperClass, _ options: PreviewOptions = PreviewOptions()) throws
        -> [StepOutput]
    {
        try PreviewStep(options, studio.context(helper)).run(name)
    }

    @Test func `A film has a poster and a short animation`() async throws {
        try await Films.film(in: studio.folder, "a.mp4", seconds: 4)
        let outputs = try preview("a.mp4", .media)
        #expect(outputs.map(\.name) == ["poster.jpg", "animation.webp"])
        let poster = try studio.read(outputs[0].file)
        #expect((poster.width, poster.height) == (320, 180))
        let animation = try studio.read(outputs[1].file)
        #expect((animation.width, animation.height) == (320, 180) && animation.frames >= 20 && animation.frames <= 26)
        #expect(!studio.exists("1-poster-frame.png"), "what was needed in between is gone")
    }

    @Test func `Sound has a waveform as a picture and as numbers`() async throws {
        try await Films.run(
            in: studio.folder, ["-f", "lavfi", "-i", "sine=frequency=200:duration=1,apad=pad_dur=1", "a.flac"])
        let outputs = try preview("a.flac", .media)
        #expect(outputs.map(\.name) == ["waveform.png", "waveform.json"])
        let picture = try studio.read(outputs[0].file)
        #expect((picture.width, picture.height) == (1200, 200))
        func lines(_ x: Int) -> Int { (0..<200).filter { picture.at(x, $0)[3] == 255 }.count }
        #expect(lines(300) > 20 && lines(900) == 1, "loud in the first half, silent in the second")

        struct Peaks: Decodable {
            let version: Int, channels: Int, sample_rate: Int, samples_per_pixel: Int, bits: Int, length: Int
            let data: [Int]
        }
        let json = try TemporaryFolder.read(studio.folder.file(outputs[1].file))
        let peaks = try JSONDecoder().decode(Peaks.self, from: Data(json))
        #expect((peaks.version, peaks.channels, peaks.sample_rate, peaks.bits) == (2, 1, 8_000, 16))
        #expect(peaks.data.count == 2 * peaks.length && abs(peaks.length * peaks.samples_per_pixel - 16_000) < 200)
        #expect(abs((outputs[1].duration ?? 0) - 2) < 0.05)
    }

    @Test func `A PDF shows its first page, upright and on white`() throws {
        try studio.folder.write("a.pdf", Documents.pdf(pages: ["Page one", "Page two"], title: "t"))
        var options = PreviewOptions()
        (options.width, options.height, options.format) = (612, 792, .png)
        let output = try #require(try preview("a.pdf", .documents, options).first)
        #expect(output.name == "page-1.png")
        let page = try studio.read(output.file)
        #expect((page.width, page.height) == (612, 792))
        #expect(page.isNear(50, 750, [0, 102, 204], by: 4), "the blue square lies at the bottom left")
        #expect(page.isNear(500, 400, [255, 255, 255], by: 1))
        let dark = page.box(of: [0, 0, 0], by: 90)
        #expect(dark[0] >= 38 && dark[1] > 60 && dark[1] < 95 && dark[2] > 60, "the text at the top: \(dark)")
    }

    @Test func `A picture is shown small, a text not at all`() throws {
        try studio.write("a.png", 1280, 320) { _, _ in [10, 20, 30] }
        let output = try #require(try preview("a.png", .images).first)
        #expect((output.width, output.height, output.name) == (640, 160, "preview.jpg"))
        try studio.folder.write("a.txt", Array("words".utf8))
        #expect { try preview("a.txt", .documents) } throws: { ($0 as? MediaError)?.code == .unsupported }
    }
}

@Suite struct TranscodeStepTests {
    let studio: Studio

    init() throws { studio = try Studio() }

    @Test func `Each profile writes its codec, and says how far it is`() async throws {
        try await Films.film(in: studio.folder, "a.avi", seconds: 3)
        var told: [String: Double] = [:]
        let context = studio.context(.media) { stage, fraction in told[stage] = max(told[stage] ?? 0, fraction) }
        let profiles = TranscodeStep.Profile.allCases
        let outputs = try TranscodeStep(profiles, context).run("a.avi")
        #expect(outputs.map(\.name) == ["mp3-128k.mp3", "aac-128k.m4a", "h264-720p.mp4", "webm-720p.webm"])
        let codecs = try outputs.map { output in
            let result = try ProbeStep(studio.context(.media)).run(output.file)
            return [result.videoCodec ?? "", result.audioCodec ?? "", result.format]
        }
        #expect(
            codecs == [["", "mp3", "mp3"], ["", "aac", "mp4"], ["h264", "aac", "mp4"], ["vp9", "opus", "webm"]])
        #expect(outputs.allSatisfy { abs(($0.duration ?? 0) - 3) < 0.3 })
        #expect((outputs[2].width, outputs[2].height) == (320, 180), "never larger than the source")
        #expect(profiles.allSatisfy { (told[$0.rawValue] ?? 0) > 0.9 }, "\(told)")
    }

    @Test func `Large film becomes 720 lines`() async throws {
        try await Films.run(
            in: studio.folder,
            ["-f", "lavfi", "-i", "testsrc=size=1920x1080:rate=5:duration=1", "-pix_fmt", "yuv420p", "a.mp4"])
        let output = try #require(try TranscodeStep([.h264], studio.context(.media)).run("a.mp4").first)
        #expect((output.width, output.height) == (1280, 720))
    }

    @Test func `Sound has no film to write`() async throws {
        try await Films.sound(in: studio.folder, "a.wav", seconds: 1)
        #expect {
            try TranscodeStep([.h264], studio.context(.media)).run("a.wav")
        } throws: { ($0 as? MediaError)?.code == .unsupported }
    }

    @Test func `Time that has run out ends ffmpeg`() async throws {
        try await Films.film(in: studio.folder, "a.avi", seconds: 60)
        let started = ContinuousClock.now
        #expect {
            try TranscodeStep([.webm], studio.context(.media, timeout: .milliseconds(700))).run("a.avi")
        } throws: { ($0 as? MediaError)?.code == .timeout }
        #expect(started.duration(to: .now) < .seconds(30))
    }

    @Test func `A playlist that names other files is followed nowhere`() async throws {
        try await Films.sound(in: studio.folder, "secret.wav", seconds: 1)
        try studio.folder.write("a.mp3", Array("#EXTM3U\n#EXTINF:1,\nsecret.wav\n".utf8))
        #expect {
            try TranscodeStep([.mp3], studio.context(.media)).run("a.mp3")
        } throws: { ($0 as? MediaError)?.permanent == true }
        // One that pretends to be film still is read as film only.
        try studio.folder.write(
            "b.mp4", Array("\u{0}\u{0}\u{0}\u{18}ftypisom\nffconcat version 1.0\nfile secret.wav\n".utf8))
        #expect {
            try TranscodeStep([.mp3], studio.context(.media)).run("b.mp4")
        } throws: { ($0 as? MediaError)?.code == .undecodable }
    }
}
