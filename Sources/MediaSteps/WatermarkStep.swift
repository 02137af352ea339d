import Vips

/// Lays a logo or a text over a picture. Only the region of the mark is computed; all other pixels are the input's.
public struct WatermarkStep {
    let options: WatermarkOptions
    let context: StepContext

    public init(_ options: WatermarkOptions, _ context: StepContext) {
        self.options = options
        self.context = context
    }

    /// One output, in the input's format and of its size.
    public func run(_ input: String) throws(MediaError) -> [StepOutput] {
        try options.check()
        // Two pictures would be held at once.
        context.kept.forget()
        try context.begin("read")
        let file = try ImageFile.open(input, context)
        guard !file.isVector || options.format != nil else {
            throw MediaError(.unsupported, "a \(file.type.rawValue) is marked only where a format is said to write")
        }
        guard let format = options.format ?? ImageFormat(file.type) else {
            throw MediaError(.unsupported, "\(file.type.rawValue) is not written; say a format")
        }
        let mark = try Mark.make(options, width: file.width, height: file.height, context)
        let moves = file.frames > 1 && !file.isVector && file.type != .tiff && format.moves
        do {
            return [try moves ? markFrames(file, mark, format) : markStill(file, mark, format)]
        } catch let error as VipsError {
            throw MediaError(error, reading: input)
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.failed, "\(error)")
        }
    }

    private func markStill(_ file: ImageFile, _ mark: Mark, _ format: ImageFormat) throws -> StepOutput {
        let base = try self.base(file)
        try context.begin("mark")
        var picture: Picture
        if options.at == .tile {
            picture = try blend(base, try mark.tiled(padding: options.padding, width: base.width, height: base.height))
        } else {
            let corner = WatermarkLayout.corner(
                options, mark: (mark.picture.width, mark.picture.height), width: base.width, height: base.height)
            let region = try Operation("extract_area").set("input", base).set("left", corner.x).set("top", corner.y)
                .set("width", mark.picture.width).set("height", mark.picture.height).picture()
            picture = try Operation("insert").set("main", base).set("sub", try blend(region, mark.picture))
                .set("x", corner.x).set("y", corner.y).picture()
        }
        // Rows stream from the decoder to the encoder, on two threads; on their way they are kept for the step that follows.
        let isHeld = picture.pixelBytes <= context.limits.memoryBytesMax
        if isHeld {
            let rows = 16
            picture = try Operation("tilecache").set("in", picture).set("tile-width", picture.width)
                .set("tile-height", rows).set("max-tiles", picture.height / rows + 2).choose("access", "sequential")
                .set("threaded", true).set("persistent", true).picture()
        }
        let output = try write(picture, format, pageHeight: nil, halfColour: file.hasHalfColour)
        if isHeld { context.kept.keep(picture, as: output.file, in: context.folder) }
        return output
    }

    /// Every frame gets the mark: frames lie one below the other, and so do the marks.
    private func markFrames(_ file: ImageFile, _ mark: Mark, _ format: ImageFormat) throws -> StepOutput {
        let frames = try file.stream(allFrames: true, context)
        let (width, height) = (frames.width, frames.pageHeight)
        let page: Picture
        if options.at == .tile {
            page = try mark.tiled(padding: options.padding, width: width, height: height)
        } else {
            let corner = WatermarkLayout.corner(
                options, mark: (mark.picture.width, mark.picture.height), width: width, height: height)
            page = try Operation("embed").set("in", mark.picture).set("x", corner.x).set("y", corner.y)
                .set("width", width).set("height", height).picture()
        }
        let layer = try Operation("replicate").set("in", try page.inMemory(context.watch("mark"))).set("across", 1)
            .set("down", max(1, frames.height / max(1, height))).picture()
        return try write(try blend(frames, layer), format, pageHeight: height, halfColour: false)
    }

    private func write(
        _ picture: Picture, _ format: ImageFormat, pageHeight: Int?, halfColour: Bool
    ) throws -> StepOutput {
        try context.begin("encode")
        let name = "\(options.name).\(format.fileExtension)"
        let target = try context.newFile(name)
        var settings = ImageFormat.Settings()
        settings.quality = options.quality
        settings.keepsMetadata = options.metadata == .keep
        settings.pageHeight = pageHeight
        settings.fullColour = !halfColour
        try format.save(picture, to: target, settings, context.folder, context.watch("encode"))
        var output = try StepOutput(name, file: target, mime: format.mime, in: context.folder)
        (output.width, output.height) = (picture.width, pageHeight ?? picture.height)
        return output
    }

    /// The picture as it is seen, in colours that a mark can be laid over: sRGB or another RGB of its own profile, 8 or 16
    /// bits. Grey becomes RGB for the mark's colours; CMYK and the rest become sRGB.
    private func base(_ file: ImageFile) throws -> Picture {
        var picture: Picture
        if file.isVector {
            picture = try file.thumbnail(width: file.width, height: file.height, context)
        } else {
            picture = try file.stream(allFrames: false, context)
            // Turning needs all pixels at hand; what is upright streams.
            if picture.orientation != 1 {
                guard picture.pixelBytes <= context.limits.memoryBytesMax else {
                    throw MediaError(.limit, "a turned picture of \(file.width) x \(file.height) pixels is too large")
                }
                picture = try Operation("autorot").set("in", try picture.inMemory(context.watch("decode"))).picture()
            }
        }
        let profiled = picture.has(ColourProfile.field)
        switch picture.interpretation {
        case "srgb" where picture.is8Bit, "rgb16" where picture.is16Bit: break
        case "cmyk":
            picture = try Operation("icc_transform").set("in", picture).set("output-profile", "srgb")
                .set("embedded", true).set("input-profile", "cmyk").picture()
        case "b-w" where picture.is8Bit, "grey16" where picture.is16Bit:
            let wide = picture.is16Bit
            picture = try Operation("colourspace").set("in", picture).choose("space", wide ? "rgb16" : "srgb").picture()
            if profiled {
                picture = try picture.copy()
                picture.remove(ColourProfile.field)
            }
        default:
            picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
        }
        // The small picture inside EXIF shows the input without its mark.
        if picture.has("jpeg-thumbnail-data") {
            picture = try picture.copy()
            picture.remove("jpeg-thumbnail-data")
        }
        return picture
    }

    /// The mark over pixels of the same size, in the pixels' own bands, format and colours.
    private func blend(_ pixels: Picture, _ mark: Picture) throws(VipsError) -> Picture {
        var mark = mark
        if let profile = pixels.blob(ColourProfile.field), !ColourProfile.describes(profile, "sRGB"), pixels.is8Bit {
            // Numbers mean other colours under another profile: the mark's are computed anew for this one.
            // Profiles measure under another white than libvips' own conversions do, so both ways go through one.
            let measured = try Operation("icc_import").set("in", mark).choose("pcs", "lab").set("input-profile", "srgb")
                .picture().copy()
            measured.set(ColourProfile.field, bytes: profile)
            mark = try Operation("icc_export").set("in", measured).choose("pcs", "lab").set("depth", 8).picture()
            mark = try Operation("copy").set("in", mark).choose("interpretation", "srgb").picture()
        } else if pixels.is16Bit {
            mark = try Operation("colourspace").set("in", mark).choose("space", "rgb16").picture()
        }
        let space = pixels.is16Bit ? "rgb16" : "srgb"
        var over = try Operation("composite2").set("base", pixels).set("overlay", mark).choose("mode", "over")
            .choose("compositing-space", space).picture()
        if !pixels.hasAlpha {
            over = try Operation("extract_band").set("in", over).set("band", 0).set("n", 3).picture()
        }
        return try Operation("cast").set("in", over).choose("format", pixels.is16Bit ? "ushort" : "uchar").picture()
    }
}

extension ImageFile {
    /// A JPEG whose colours are stored at half resolution gains nothing from being written at full.
    var hasHalfColour: Bool { type == .jpeg && header.text("jpeg-chroma-subsample") == "4:2:0" }
}
