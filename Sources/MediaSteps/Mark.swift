import Vips

/// What is laid over a picture: sRGB with alpha, at its final size, in memory.
struct Mark {
    let picture: Picture

    static func make(
        _ options: WatermarkOptions, width: Int, height: Int, _ context: StepContext
    ) throws(MediaError) -> Mark {
        let box = WatermarkLayout.box(options, width: width, height: height)
        let stage = "logo"
        do {
            var picture: Picture
            if let logo = options.logo {
                let file = try ImageFile.open(logo, context)
                let size = WatermarkLayout.fit(width: file.width, height: file.height, into: box)
                picture = try file.thumbnail(width: size.width, height: size.height, context)
                picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
            } else {
                picture = try text(options, box)
            }
            if !picture.hasAlpha { picture = try picture.withAlpha() }
            if options.opacity < 1 {
                let bands = picture.bands
                let factors = [Double](repeating: 1, count: max(1, bands) - 1) + [options.opacity]
                picture = try Operation("linear").set("in", picture).set("a", factors)
                    .set("b", [Double](repeating: 0, count: bands)).set("uchar", true).picture()
            }
            return Mark(picture: try picture.inMemory(context.watch(stage)))
        } catch let error as VipsError {
            throw MediaError(error, reading: options.logo ?? "text")
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.failed, "\(error)")
        }
    }

    /// One copy beside the other over a whole picture, transparent between.
    func tiled(padding: Int, width: Int, height: Int) throws(VipsError) -> Picture {
        let cell = try Operation("embed").set("in", picture).set("x", padding / 2).set("y", padding / 2)
            .set("width", picture.width + padding).set("height", picture.height + padding).picture()
        let all = try Operation("replicate").set("in", cell).set("across", width / max(1, cell.width) + 1)
            .set("down", height / max(1, cell.height) + 1).picture()
        return try Operation("extract_area").set("input", all).set("left", 0).set("top", 0).set("width", width)
            .set("height", height).picture()
    }

    /// Letters in one colour; where there are none, as of a font that lacks them, it is an error of libvips.
    private static func text(_ options: WatermarkOptions, _ box: (width: Int, height: Int)) throws(VipsError) -> Picture
    {
        // Pango reads markup.
        let plain = (options.text ?? "").map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: String(character)
            }
        }.joined()
        // Rendered large, then fitted: the library's own fitting by width and height is coarse.
        let letters = try Operation("text").set("text", plain).set("font", "\(options.font) 48").set("dpi", 300)
            .choose("wrap", "none").picture()
        let size = WatermarkLayout.fit(width: letters.width, height: letters.height, into: box)
        let alpha = try Operation("thumbnail_image").set("in", letters).set("width", size.width)
            .set("height", size.height).choose("size", "force").picture()
        let band = try Operation("extract_band").set("in", alpha).set("band", 0).picture()
        let black = try Operation("black").set("width", size.width).set("height", size.height).set("bands", 3).picture()
        let colour = try Operation("linear").set("in", black).set("a", [1, 1, 1]).set("b", options.colour.values)
            .set("uchar", true).picture()
        let joined = try Operation("bandjoin").set("in", [colour, band]).picture()
        return try Operation("copy").set("in", joined).choose("interpretation", "srgb").picture()
    }
}
