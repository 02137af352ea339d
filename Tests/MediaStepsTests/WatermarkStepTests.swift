import TestSupport
import Testing
import Vips

@testable import MediaSteps

@Suite struct WatermarkStepTests {
    let studio: Studio
    static let green: [UInt8] = [40, 140, 60]
    static let red = [220, 20, 30]

    init() throws {
        studio = try Studio()
        // A red logo of 2:1, opaque.
        try studio.write("logo.png", 100, 50) { _, _ in [220, 20, 30, 255] }
    }

    private func mark(
        _ input: String, _ options: WatermarkOptions = WatermarkOptions(logo: "logo.png"),
        _ helper: HelperClass = .images
    ) throws -> (output: StepOutput, pixels: Pixels) {
        let outputs = try WatermarkStep(options, studio.context(helper)).run(input)
        let output = try #require(outputs.first)
        return (output, try studio.read(output.file))
    }

    @Test func `The logo is a fifth of the width, ten pixels from the top right, and the rest is as it was`() throws {
        try studio.write("a.png", 500, 400) { x, y in [UInt8(x % 200), UInt8(y % 200), 90] }
        let (output, marked) = try mark("a.png")
        #expect(output.name == "watermarked.png" && output.mime == "image/png")
        #expect((output.width, output.height) == (500, 400))
        #expect(marked.box(of: Self.red) == [390, 10, 100, 50])
        let before = try studio.read("a.png")
        var changed = 0
        for y in 0..<400 {
            for x in 0..<500
            where !((390..<490).contains(x) && (10..<60).contains(y)) && before.at(x, y) != marked.at(x, y) {
                changed += 1
            }
        }
        #expect(changed == 0)
        #expect(marked.bands == 3)
    }

    @Test func `In a JPEG the mark lies at the same place, within what JPEG smears`() throws {
        try studio.write("a.jpg", 600, 400, by: "jpegsave") { _, _ in Self.green }
        let (output, marked) = try mark("a.jpg")
        #expect(output.mime == "image/jpeg")
        #expect(marked.isNear(471, 11, Self.red, by: 60) && marked.isNear(588, 68, Self.red, by: 60))
        #expect(marked.isNear(530, 40, Self.red, by: 12))
        #expect(marked.isNear(455, 40, [40, 140, 60], by: 12) && marked.isNear(530, 85, [40, 140, 60], by: 12))
    }

    @Test(arguments: 1...8)
    func `A turned photograph has its mark upright at the corner that is seen`(orientation: Int) throws {
        let turn: Studio.Change = { picture in
            let copy = try picture.copy()
            copy.set("orientation", orientation)
            return copy
        }
        // A logo whose left half is blue: a turned or mirrored mark would show.
        try studio.write("two.png", 100, 50) { x, _ in x < 50 ? [20, 30, 220, 255] : [220, 20, 30, 255] }
        try studio.write("a.jpg", 600, 400, by: "jpegsave", change: turn) { _, _ in Self.green }
        let (output, marked) = try mark("a.jpg", WatermarkOptions(logo: "two.png"))
        let (width, height) = orientation >= 5 ? (400, 600) : (600, 400)
        #expect((output.width, output.height) == (width, height) && (marked.width, marked.height) == (width, height))
        #expect(marked.orientation == 1)
        let across = width / 5
        let left = width - 10 - across
        #expect(marked.isNear(left + across / 4, 10 + across / 4, [20, 30, 220], by: 25))
        #expect(marked.isNear(left + across * 3 / 4, 10 + across / 4, Self.red, by: 25))
        #expect(marked.isNear(left - 16, 20, [40, 140, 60], by: 25))
    }

    @Test func `A box holds the logo by both sides`() throws {
        try studio.write("tall.png", 50, 100) { _, _ in [220, 20, 30, 255] }
        try studio.write("a.png", 500, 200) { _, _ in Self.green }
        var options = WatermarkOptions(logo: "tall.png")
        options.fit = .box
        #expect(try mark("a.png", options).pixels.box(of: Self.red) == [470, 10, 20, 40])
    }

    @Test func `Half opacity is halfway between the logo and the picture`() throws {
        try studio.write("a.png", 500, 400) { _, _ in [20, 120, 230] }
        var options = WatermarkOptions(logo: "logo.png")
        options.opacity = 0.5
        #expect(try mark("a.png", options).pixels.isNear(440, 30, [120, 70, 130], by: 2))
    }

    @Test func `Transparent parts of the logo leave the picture's pixels`() throws {
        try studio.write("ring.png", 100, 100) { x, y in
            (30..<70).contains(x) && (30..<70).contains(y) ? [0, 0, 0, 0] : [220, 20, 30, 255]
        }
        try studio.write("a.png", 500, 400) { _, _ in Self.green }
        let marked = try mark("a.png", WatermarkOptions(logo: "ring.png")).pixels
        #expect(marked.at(440, 60) == [40, 140, 60] && marked.isNear(395, 60, Self.red))
    }

    @Test func `A picture with alpha keeps it, and the mark is opaque on it`() throws {
        try studio.write("a.png", 500, 400) { x, _ in [40, 140, 60, x < 450 ? 0 : 128] }
        let marked = try mark("a.png").pixels
        #expect(marked.bands == 4)
        #expect(marked.at(100, 100)[3] == 0 && marked.at(480, 300) == [40, 140, 60, 128])
        #expect(marked.isNear(400, 20, Self.red + [255]) && marked.isNear(480, 20, Self.red + [255]))
    }

    @Test func `Grey becomes colour for the mark's sake`() throws {
        try studio.write("a.jpg", 500, 400, by: "jpegsave") { _, _ in [100] }
        let marked = try mark("a.jpg").pixels
        #expect(
            marked.bands == 3 && marked.isNear(440, 35, Self.red, by: 15)
                && marked.isNear(100, 300, [100, 100, 100], by: 3))
    }

    @Test func `Sixteen bits stay sixteen in PNG`() throws {
        let widen: Studio.Change = { try Operation("colourspace").set("in", $0).choose("space", "rgb16").picture() }
        try studio.write("a.png", 500, 400, change: widen) { _, _ in Self.green }
        let marked = try mark("a.png").pixels
        #expect(marked.is16Bit && marked.bands == 3)
        #expect(marked.isNear(440, 30, Self.red, by: 3) && marked.isNear(100, 100, [40, 140, 60], by: 1))
    }

    @Test func `CMYK becomes sRGB`() throws {
        let toCMYK: Studio.Change = {
            try Operation("icc_transform").set("in", $0).set("output-profile", "cmyk").set("input-profile", "srgb")
                .picture()
        }
        try studio.write("a.jpg", 500, 400, by: "jpegsave", change: toCMYK) { _, _ in [120, 120, 120] }
        let marked = try mark("a.jpg").pixels
        #expect(marked.bands == 3 && marked.isNear(440, 30, Self.red, by: 15))
        #expect(marked.isNear(100, 300, [120, 120, 120], by: 12))
    }

    @Test func `A colour profile stays, and the mark's colours are converted to it`() throws {
        let toP3: Studio.Change = {
            try Operation("icc_transform").set("in", $0).set("output-profile", "p3").set("input-profile", "srgb")
                .picture()
        }
        try studio.write("a.png", 500, 400, change: toP3) { _, _ in Self.green }
        let profile = try #require(try studio.read("a.png").profile)
        let marked = try mark("a.png")
        #expect(marked.pixels.profile == profile)
        #expect(!marked.pixels.isNear(440, 30, Self.red, by: 3), "P3 has other numbers for this red")
        // Seen through the profile, it is the logo's red.
        var preset = VariantPreset()
        (preset.width, preset.formats) = (500, [.png])
        let seen = try VariantsStep(["seen": preset], studio.context(prefix: "2-")).run(marked.output.file)
        let pixels = try studio.read(try #require(seen.first).file)
        #expect(pixels.isNear(440, 30, Self.red, by: 4), "\(pixels.at(440, 30)), in P3 \(marked.pixels.at(440, 30))")
        #expect(pixels.isNear(100, 100, [40, 140, 60], by: 4), "\(pixels.at(100, 100))")
    }

    @Test func `Every frame of an animation is marked, and it still moves`() throws {
        for saver in ["gifsave", "webpsave"] {
            let frames: Studio.Change = { picture in
                let copy = try picture.copy()
                copy.set("page-height", 100)
                return copy
            }
            try studio.write("a.bin", 200, 300, by: saver, change: frames) { x, y in
                y < 100 ? [40, 140, 60] : y < 200 ? [40, 60, 140] : [0, 0, UInt8(x)]
            }
            let (output, marked) = try mark("a.bin")
            #expect((output.width, output.height) == (200, 100) && marked.frames == 3, "\(saver)")
            let all = try studio.read(output.file, frames: true)
            for frame in 0..<3 { #expect(all.isNear(170, frame * 100 + 20, Self.red, by: 40), "\(saver) \(frame)") }
            #expect(all.isNear(50, 150, [40, 60, 140], by: 40))
        }
    }

    @Test func `Marks are tiled over the whole picture`() throws {
        try studio.write("a.png", 500, 400) { _, _ in Self.green }
        var options = WatermarkOptions(logo: "logo.png")
        options.at = .tile
        let marked = try mark("a.png", options).pixels
        #expect(
            marked.isNear(20, 20, Self.red) && marked.isNear(60 + 110, 20 + 60, Self.red)
                && marked.isNear(480, 380, Self.red))
        #expect(marked.at(109, 20) == [40, 140, 60])
    }

    @Test func `Text is drawn in its colour within the width`() throws {
        try studio.write("a.png", 500, 400) { _, _ in Self.green }
        var options = WatermarkOptions(text: "© <me> & you")
        options.colour = try #require(Colour("#fff000"))
        let box = try mark("a.png", options).pixels.box(of: [255, 240, 0], by: 30)
        #expect(box[0] >= 390 && box[0] + box[2] <= 490 && box[1] >= 10 && box[3] >= 5 && box[2] > 80)
    }

    @Test func `A drawn logo is rendered at the size that is needed, by helpers for documents only`() throws {
        let svg =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"5\"><rect width=\"10\" height=\"5\" fill=\"#dc141e\"/></svg>"
        try studio.folder.write("logo.svg", Array(svg.utf8))
        try studio.write("a.png", 500, 400) { _, _ in Self.green }
        #expect(
            try mark("a.png", WatermarkOptions(logo: "logo.svg"), .documents).pixels.box(of: Self.red) == [
                390, 10, 100, 50,
            ])
        #expect {
            try mark("a.png", WatermarkOptions(logo: "logo.svg"))
        } throws: { ($0 as? MediaError)?.helper == .documents }
    }

    @Test func `A large picture is streamed, with the same pixels as one that is held`() throws {
        try studio.write("a.png", 500, 400) { x, y in [UInt8(x % 256), UInt8(y % 256), 90] }
        let held = try mark("a.png").pixels
        var limits = MediaLimits()
        limits.memoryBytesMax = 1_000
        let streamed = try WatermarkStep(
            WatermarkOptions(logo: "logo.png"), studio.context(limits: limits, prefix: "2-")
        ).run("a.png")
        #expect(try studio.read(try #require(streamed.first).file).bytes == held.bytes)
    }

    @Test func `The small picture inside EXIF does not show what was not marked`() throws {
        try studio.write("a.jpg", 64, 64, by: "jpegsave") { _, _ in Self.green }
        let withThumbnail: Studio.Change = { picture in
            let copy = try picture.copy()
            copy.set("jpeg-thumbnail-data", bytes: try TemporaryFolder.read(studio.folder.file("a.jpg")))
            return copy
        }
        try studio.write("b.jpg", 500, 400, by: "jpegsave", change: withThumbnail) { _, _ in Self.green }
        #expect(try ImageFile.open("b.jpg", studio.context()).header.has("jpeg-thumbnail-data"))
        let output = try mark("b.jpg").output
        #expect(try !ImageFile.open(output.file, studio.context()).header.has("jpeg-thumbnail-data"))
    }

    @Test(
        arguments: [
            { (o: inout WatermarkOptions) in o.scale = 0 }, { $0.scale = .nan }, { $0.scale = 1.1 }, { $0.opacity = 0 },
            { $0.padding = -1 }, { $0.quality = 0 }, { $0.text = "both" }, { $0.logo = nil },
            { $0.logo = "../logo.png" },
            { $0.name = "../x" },
        ] as [@Sendable (inout WatermarkOptions) -> Void])
    func `Options out of range are refused as such`(change: @Sendable (inout WatermarkOptions) -> Void) throws {
        try studio.write("a.png", 50, 40) { _, _ in Self.green }
        var options = WatermarkOptions(logo: "logo.png")
        change(&options)
        #expect { try mark("a.png", options) } throws: { ($0 as? MediaError)?.code == .options }
    }
}
