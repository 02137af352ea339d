import Testing
import Vips

@testable import MediaSteps

@Suite struct QuickShrinkTests {
    @Test(arguments: [(1200, 900, 300, 300), (1201, 903, 777, 431), (1999, 500, 100, 133), (640, 1111, 500, 500)])
    func `A region is what libvips makes of the whole picture and cuts out`(sizes: (Int, Int, Int, Int)) throws {
        _ = try VipsLibrary.start()
        let source = try Studio.picture(sizes.0, sizes.1) { x, y in
            [UInt8((x / 9 + y / 7) % 2 * 200), UInt8(truncatingIfNeeded: x * y / 300), UInt8((x + y) % 256)]
        }
        var preset = VariantPreset()
        (preset.width, preset.height) = (sizes.2, sizes.3)
        let plan = VariantPlan(preset, width: sizes.0, height: sizes.1)
        for point in [0.0, 0.37, 0.5, 1.0] {
            let corner = plan.corner(around: (point * Double(plan.scaledWidth), point * Double(plan.scaledHeight)))
            let quick = try #require(try QuickShrink.region(of: source, plan, corner: corner, Watch.none))
            let whole = try Operation("thumbnail_image").set("in", source).set("width", plan.scaledWidth)
                .set("height", plan.scaledHeight).choose("size", "force").picture()
            let cut = try Operation("extract_area").set("input", whole).set("left", corner.x).set("top", corner.y)
                .set("width", plan.width).set("height", plan.height).picture()
            #expect((quick.width, quick.height) == (plan.width, plan.height))
            let (ours, theirs) = (try quick.pixels(Watch.none), try cut.pixels(Watch.none))
            let differences = zip(ours, theirs).map { abs(Int($0) - Int($1)) }
            #expect((differences.max() ?? 255) <= 12, "\(point)")
            #expect(differences.reduce(0, +) < differences.count, "the mean stays below one: \(point)")
        }
    }

    @Test func `What has alpha, a profile or more than eight bits is left to libvips`() throws {
        _ = try VipsLibrary.start()
        let plain = try Studio.picture(8, 8) { _, _ in [1, 2, 3] }
        #expect(QuickShrink.takes(plain))
        #expect(QuickShrink.takes(try Studio.picture(8, 8) { _, _ in [1] }))
        #expect(!QuickShrink.takes(try Studio.picture(8, 8) { _, _ in [1, 2, 3, 4] }))
        #expect(!QuickShrink.takes(try Operation("colourspace").set("in", plain).choose("space", "rgb16").picture()))
        let profiled = try Operation("icc_transform").set("in", plain).set("output-profile", "p3")
            .set("input-profile", "srgb").picture()
        #expect(!QuickShrink.takes(profiled))
    }
}
