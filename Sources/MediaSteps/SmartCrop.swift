import Vips

/// What draws the eye in a picture, found by libvips' attention on a small copy: it measures at 32 x 32 anyway.
struct SmartCrop {
    private static let side = 256

    private let small: Picture

    init(_ picture: Picture, _ context: StepContext) throws(VipsError) {
        var small = try Operation("thumbnail_image").set("in", picture).set("width", Self.side)
            .set("height", Self.side).choose("size", "down").set("no-rotate", true).picture()
        if small.hasAlpha {
            small = try Operation("flatten").set("in", small).set("background", [255, 255, 255]).picture()
        }
        self.small = try Operation("colourspace").set("in", small).choose("space", "srgb").picture()
            .inMemory(context.watch("attention"))
    }

    /// A point from 0 to 1 in both directions. The size of the crop decides how wide an area is weighed at once.
    func attention(_ plan: VariantPlan) throws(VipsError) -> (x: Double, y: Double) {
        let across = Double(plan.width) / Double(plan.scaledWidth) * Double(small.width)
        let down = Double(plan.height) / Double(plan.scaledHeight) * Double(small.height)
        let found = Operation("smartcrop").set("input", small)
            .set("width", min(small.width, max(1, Int(across.rounded()))))
            .set("height", min(small.height, max(1, Int(down.rounded())))).choose("interesting", "attention")
        _ = try found.picture()
        return (
            (Double(found.int("attention-x")) + 0.5) / Double(small.width),
            (Double(found.int("attention-y")) + 0.5) / Double(small.height)
        )
    }
}
