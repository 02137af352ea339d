import TestSupport
import Testing
import Vips

@testable import MediaSteps

@Suite struct VariantsStepTests {
    let studio: Studio

    init() throws { studio = try Studio() }

    private func preset(_ width: Int, _ height: Int, _ change: (inout VariantPreset) -> Void = { _ in })
        -> VariantPreset
    {
        var preset = VariantPreset()
        (preset.width, preset.height, preset.formats) = (width, height, [.png])
        change(&preset)
        return preset
    }

    /// Runs one preset and reads its output.
    private func make(
        _ input: String, _ preset: VariantPreset, _ helper: HelperClass = .images
    ) throws -> (output: StepOutput, pixels: Pixels) {
        let output = try #require(try VariantsStep(["one": preset], studio.context(helper)).run(input).first)
        return (output, try studio.read(output.file))
    }

    /// Grey, with a colourful subject off the middle: 1200 x 900, the subject around (930, 620).
    private func writeScene(_ name: String, by saver: String = "pngsave") throws {
        try studio.write(name, 1200, 900, by: saver) { x, y in
            let (dx, dy) = (x - 930, y - 620)
            if dx * dx + dy * dy < 60 * 60 { return (x / 8 + y / 8) % 2 == 0 ? [230, 40, 30] : [250, 210, 40] }
            return [UInt8(110 + x / 60), UInt8(115 + y / 60), 120]
        }
    }

    @Test func `The presets of the example have exact sizes and keep the subject`() throws {
        try writeScene("a.jpg", by: "jpegsave")
        let presets = [
            "square": preset(540, 540), "story": preset(270, 480), "wide": preset(640, 360),
        ]
        let outputs = try VariantsStep(presets, studio.context()).run("a.jpg")
        #expect(outputs.map(\.name) == ["square.png", "story.png", "wide.png"].sorted())
        for output in outputs {
            let preset = try #require(presets[output.variant ?? ""])
            let pixels = try studio.read(output.file)
            #expect((pixels.width, pixels.height) == (preset.width, preset.height))
            #expect((output.width, output.height) == (preset.width, preset.height))
            let subject = pixels.box(of: [240, 120, 35], by: 95)
            // The disc of 120 pixels, scaled as its preset scales, lies inside as a whole.
            let scale = max(Double(pixels.width) / 1200, Double(pixels.height) / 900)
            #expect(subject[2] >= Int(112 * scale) && subject[3] >= Int(112 * scale), "\(output.name): \(subject)")
        }
    }

    @Test func `A focal point and the middle decide where they are asked for`() throws {
        try studio.write("a.png", 300, 100) { x, _ in x < 100 ? [200, 0, 0] : x < 200 ? [0, 200, 0] : [0, 0, 200] }
        #expect(
            try make("a.png", preset(100, 100) { $0.crop = .focus(x: 0, y: 0.5) }).pixels.at(50, 50) == [200, 0, 0])
        #expect(try make("a.png", preset(100, 100) { $0.crop = .focus(x: 1, y: 0) }).pixels.at(50, 50) == [0, 0, 200])
        #expect(try make("a.png", preset(100, 100) { $0.crop = .centre }).pixels.at(50, 50) == [0, 200, 0])
    }

    /// A turned photograph of 300 x 200 as it is seen, whose subject is at a known point, and presets of all shapes.
    @Test(arguments: 1...8, [[0.2, 0.3], [0.9, 0.8]])
    func `A focal point is where people see it, however the picture is turned and cut`(
        orientation: Int, point: [Double]
    ) throws {
        let (width, height) = (300, 200)
        let subject = (x: Int(point[0] * 300), y: Int(point[1] * 200))
        // Where a stored pixel is seen (EXIF 2.32, 4.6.5 orientation).
        func seen(_ x: Int, _ y: Int) -> (x: Int, y: Int) {
            switch orientation {
            case 2: (width - 1 - x, y)
            case 3: (width - 1 - x, height - 1 - y)
            case 4: (x, height - 1 - y)
            case 5: (y, x)
            case 6: (width - 1 - y, x)
            case 7: (width - 1 - y, height - 1 - x)
            case 8: (y, height - 1 - x)
            default: (x, y)
            }
        }
        let (across, down) = orientation >= 5 ? (height, width) : (width, height)
        try studio.write("a.jpg", across, down, by: "jpegsave") { picture in
            let copy = try picture.copy()
            copy.set("orientation", orientation)
            return copy
        } _: { x, y in
            let place = seen(x, y)
            let (dx, dy) = (place.x - subject.x, place.y - subject.y)
            return dx * dx + dy * dy <= 100 ? [220, 30, 30] : [30, 60, 200]
        }
        for (w, h) in [(60, 60), (40, 120), (150, 50), (90, 60)] {
            let made = try make("a.jpg", preset(w, h) { $0.crop = .focus(x: point[0], y: point[1]) }).pixels
            #expect((made.width, made.height) == (w, h))
            let box = made.box(of: [220, 30, 30], by: 60)
            let scale = max(Double(w) / 300, Double(h) / 200)
            // As near to the middle as the edges of the picture allow.
            func wanted(_ part: Double, _ whole: Double, _ side: Double) -> Double {
                let start = min(max(0, part * whole * scale - side / 2), whole * scale - side)
                return part * whole * scale - start
            }
            let centre = (Double(box[0]) + Double(box[2]) / 2, Double(box[1]) + Double(box[3]) / 2)
            #expect(abs(centre.0 - wanted(point[0], 300, Double(w))) <= 2.5, "\(w) x \(h): \(box)")
            #expect(abs(centre.1 - wanted(point[1], 200, Double(h))) <= 2.5, "\(w) x \(h): \(box)")
        }
    }

    @Test func `Contain lies on its ground, fill is stretched, inside keeps the shape`() throws {
        try studio.write("a.png", 200, 100) { x, _ in x < 100 ? [200, 0, 0] : [0, 0, 200] }
        let contained = try make(
            "a.png",
            preset(100, 100) {
                $0.fit = .contain; $0.background = Colour(red: 0, green: 255, blue: 0)
            }
        ).pixels
        #expect((contained.width, contained.height) == (100, 100))
        #expect(
            contained.at(50, 10) == [0, 255, 0] && contained.isNear(20, 50, [200, 0, 0])
                && contained.at(50, 90) == [0, 255, 0])
        let filled = try make("a.png", preset(100, 100) { $0.fit = .fill }).pixels
        #expect(
            (filled.width, filled.height) == (100, 100) && filled.isNear(20, 5, [200, 0, 0])
                && filled.isNear(80, 95, [0, 0, 200]))
        let inside = try make("a.png", preset(100, 100) { $0.fit = .inside }).pixels
        #expect((inside.width, inside.height) == (100, 50))
    }

    @Test func `Nothing is enlarged unless that is asked for`() throws {
        try studio.write("a.png", 100, 60) { _, _ in [1, 2, 3] }
        let small = try make("a.png", preset(1080, 1920))
        #expect(
            (small.pixels.width, small.pixels.height) == (34, 60)
                && (small.output.width, small.output.height) == (34, 60))
        let large = try make("a.png", preset(1080, 1920) { $0.enlarge = true }).pixels
        #expect((large.width, large.height) == (1080, 1920))
    }

    @Test func `One preset gives several formats of the same pixels`() throws {
        try writeScene("a.png")
        let outputs = try VariantsStep(
            ["p": preset(300, 225) { $0.formats = [.jpeg, .png, .webp, .avif] }], studio.context()
        ).run("a.png")
        #expect(outputs.map(\.name) == ["p.jpg", "p.png", "p.webp", "p.avif"])
        #expect(outputs.map(\.mime) == ["image/jpeg", "image/png", "image/webp", "image/avif"])
        for output in outputs {
            let pixels = try studio.read(output.file)
            #expect((pixels.width, pixels.height) == (300, 225))
            #expect(pixels.isNear(20, 20, [112, 116, 120], by: 8), "\(output.name): \(pixels.at(20, 20))")
        }
    }

    @Test func `Transparency becomes the ground in JPEG and stays elsewhere`() throws {
        try studio.write("a.png", 100, 100) { x, _ in [200, 0, 0, x < 50 ? 255 : 0] }
        let outputs = try VariantsStep(
            [
                "p": preset(50, 50) {
                    ($0.formats, $0.background) = ([.jpeg, .webp], Colour(red: 0, green: 0, blue: 250))
                }
            ], studio.context()
        ).run("a.png")
        let jpeg = try studio.read(outputs[0].file)
        #expect(
            jpeg.bands == 3 && jpeg.isNear(40, 25, [0, 0, 250], by: 12) && jpeg.isNear(10, 25, [200, 0, 0], by: 12))
        let webp = try studio.read(outputs[1].file)
        #expect(webp.bands == 4 && webp.at(40, 25)[3] == 0 && webp.at(10, 25)[3] == 255)
    }

    @Test func `The edge of a transparent picture has no dark fringe`() throws {
        // White with black behind what is transparent.
        try studio.write("a.png", 400, 400) { x, _ in x < 200 ? [255, 255, 255, 255] : [0, 0, 0, 0] }
        let pixels = try make("a.png", preset(50, 50)).pixels
        for x in 0..<50 where pixels.at(x, 25)[3] > 8 {
            #expect(pixels.isNear(x, 25, [255, 255, 255], by: 8), "\(pixels.at(x, 25))")
        }
    }

    @Test func `Metadata is stripped unless it is kept`() throws {
        let turned: Studio.Change = { picture in
            let copy = try picture.copy()
            copy.set("orientation", 6)
            return copy
        }
        try studio.write("a.jpg", 400, 200, by: "jpegsave", change: turned) { _, _ in [9, 90, 9] }
        for rule in [MetadataRule.strip, .keep] {
            let output = try make("a.jpg", preset(50, 100) { ($0.metadata, $0.formats) = (rule, [.jpeg]) }).output
            let header = try ImageFile.open(output.file, studio.context()).header
            #expect((header.width, header.height, header.orientation) == (50, 100, 1))
            #expect(header.has("exif-data") == (rule == .keep))
        }
    }

    @Test func `A drawing is rendered at the size that is wanted`() throws {
        let svg =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20\" height=\"10\"><rect width=\"10\" height=\"10\" fill=\"red\"/></svg>"
        try studio.folder.write("a.svg", Array(svg.utf8))
        let pixels = try make("a.svg", preset(1000, 500), .documents).pixels
        #expect((pixels.width, pixels.height) == (1000, 500))
        #expect(
            pixels.at(498, 250) == [255, 0, 0, 255] && pixels.at(502, 250)[3] == 0, "sharp, as rendered at this size")
    }

    @Test func `After a watermark the pixels are at hand, and nothing is decoded`() throws {
        try writeScene("a.jpg", by: "jpegsave")
        try studio.write("logo.png", 10, 5) { _, _ in [0, 0, 255, 255] }
        let marked = try #require(
            try WatermarkStep(WatermarkOptions(logo: "logo.png"), studio.context()).run("a.jpg").first)
        var stages: [String] = []
        let context = studio.context(prefix: "2-") { stage, _ in stages.append(stage) }
        let kept = try VariantsStep(["p": preset(600, 450)], context).run(marked.file)
        #expect(studio.kept.picture(of: marked.file, in: WorkFolder(studio.folder.path)) != nil)
        let fromMemory = try studio.read(try #require(kept.first).file)
        studio.kept.forget()
        let fromFile = try studio.read(
            try #require(try VariantsStep(["p": preset(600, 450)], studio.context(prefix: "3-")).run(marked.file).first)
                .file)
        // The same picture, but for what JPEG lost.
        var far = 0
        for y in stride(from: 0, to: 450, by: 7) {
            for x in stride(from: 0, to: 600, by: 7) where !fromMemory.isNear(x, y, fromFile.at(x, y), by: 40) {
                far += 1
            }
        }
        #expect(far < 40)
    }

    @Test func `What was kept is not taken for a file that was written since`() throws {
        try writeScene("a.png")
        try studio.write("logo.png", 10, 5) { _, _ in [0, 0, 255, 255] }
        let marked = try #require(
            try WatermarkStep(WatermarkOptions(logo: "logo.png"), studio.context()).run("a.png").first)
        try studio.write(marked.file, 50, 50) { _, _ in [7, 7, 7] }
        let output = try make(marked.file, preset(50, 50)).pixels
        #expect(output.at(25, 25) == [7, 7, 7])
    }

    @Test func `A failed step leaves no files`() throws {
        try writeScene("a.png")
        let context = studio.context(prefix: "9-")
        #expect(throws: MediaError.self) {
            do {
                _ = try VariantsStep(
                    ["a": preset(10, 10), "b": preset(10, 10) { $0.metadata = .keep }, "c/": preset(10, 10)], context
                ).run("a.png")
            } catch {
                context.removeOutputs()
                throw error
            }
        }
        #expect(!studio.exists("9-a.png") && !studio.exists("9-b.png"))
    }

    @Test func `Time that has run out ends a step inside its work`() throws {
        try studio.write("a.png", 3000, 3000) { x, y in [UInt8(truncatingIfNeeded: x &* y), UInt8(x & 255), 0] }
        #expect {
            _ = try VariantsStep(
                ["p": preset(2999, 2999) { $0.formats = [.avif] }], studio.context(timeout: .milliseconds(300))
            ).run("a.png")
        } throws: { ($0 as? MediaError)?.code == .timeout && ($0 as? MediaError)?.permanent == false }
    }
}
