import Vips

/// Makes a picture in several sizes and formats out of one decode.
public struct VariantsStep {
    /// By name. Outputs are called `NAME.ENDING`.
    let presets: [(name: String, preset: VariantPreset)]
    let context: StepContext

    public static let presetsMax = 64

    public init(_ presets: [String: VariantPreset], _ context: StepContext) {
        self.presets = presets.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
        self.context = context
    }

    public func run(_ input: String) throws(MediaError) -> [StepOutput] {
        guard !presets.isEmpty, presets.count <= Self.presetsMax else {
            throw MediaError(.options, "1 to \(Self.presetsMax) presets are wanted")
        }
        for (name, preset) in presets { try preset.check(name) }
        try context.begin("read")
        do {
            return try make(input)
        } catch let error as VipsError {
            throw MediaError(error, reading: input)
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.failed, "\(error)")
        }
    }

    private func make(_ input: String) throws -> [StepOutput] {
        let kept = context.kept.picture(of: input, in: context.folder)
        let file = try kept == nil ? ImageFile.open(input, context) : nil
        let (width, height) = (kept?.width ?? file?.width ?? 1, kept?.height ?? file?.height ?? 1)
        let isVector = file?.isVector ?? false
        let plans = presets.map { VariantPlan($0.preset, width: width, height: height, scalable: isVector) }
        let scale = plans.reduce(0.0) { most, plan in
            max(most, Double(plan.scaledWidth) / Double(width), Double(plan.scaledHeight) / Double(height))
        }
        let shared = try self.shared(kept, file, scale: isVector ? scale : min(1, scale), width: width, height: height)
        let point =
            try plans.indices.contains { plans[$0].crops && presets[$0].preset.crop == .smart }
            ? SmartCrop(shared, context) : nil
        var outputs: [StepOutput] = []
        for (place, plan) in plans.enumerated() {
            let (name, preset) = presets[place]
            outputs += try write(shared, plan, preset, name, point, input: file?.type ?? context.type(of: input))
            context.progress("variants", Double(place + 1) / Double(plans.count))
        }
        return outputs
    }

    /// The whole picture in sRGB and in memory, at the largest scale that any preset wants or larger: all presets are
    /// made from it.
    private func shared(
        _ kept: Picture?, _ file: ImageFile?, scale: Double, width: Int, height: Int
    ) throws -> Picture {
        let across = max(1, Int((Double(width) * scale).rounded(.up)))
        let down = max(1, Int((Double(height) * scale).rounded(.up)))
        let (pixels, overflow) = across.multipliedReportingOverflow(by: down)
        guard !overflow, pixels <= context.limits.memoryBytesMax / 4 else {
            throw MediaError(.limit, "the presets need \(across) x \(down) pixels at once, which are too many")
        }
        let picture: Picture
        if let kept {
            // All presets are cut out of the pixels at hand, where those can be scaled as they are.
            if QuickShrink.takes(kept) { return kept }
            let operation = Operation("thumbnail_image").set("in", kept).set("width", across).set("height", down)
                .choose("size", "force")
            if !ColourProfile.isStandard(kept) { operation.set("export-profile", "srgb") }
            picture = try operation.picture()
        } else if let file {
            // One preset alone streams through, in less memory.
            let plain = presets.count > 1 ? try file.plain(scale: scale, context) : nil
            picture = try plain ?? file.thumbnail(width: across, height: down, context)
        } else {
            throw MediaError(.input, "no picture")
        }
        return try picture.inMemory(context.watch("decode"))
    }

    private func write(
        _ shared: Picture, _ plan: VariantPlan, _ preset: VariantPreset, _ name: String, _ point: SmartCrop?,
        input: FileType
    ) throws -> [StepOutput] {
        try context.begin(name)
        let corner = plan.crops ? plan.corner(around: try centre(plan, preset.crop, point)) : (x: 0, y: 0)
        var picture = shared
        if let region = try QuickShrink.region(of: shared, plan, corner: corner, context.watch(name)) {
            picture = region
        } else {
            if shared.width != plan.scaledWidth || shared.height != plan.scaledHeight {
                picture = try Operation("thumbnail_image").set("in", shared).set("width", plan.scaledWidth)
                    .set("height", plan.scaledHeight).choose("size", "force").set("no-rotate", true).picture()
            }
            if plan.crops {
                picture = try Operation("extract_area").set("input", picture).set("left", corner.x).set("top", corner.y)
                    .set("width", plan.width).set("height", plan.height).picture()
            } else if plan.pads {
                picture = try pad(picture, plan, preset.background)
            }
        }
        let formats = preset.formats.isEmpty ? [ImageFormat(input) ?? .jpeg] : preset.formats
        if formats.count > 1 { picture = try picture.inMemory(context.watch(name)) }
        var outputs: [StepOutput] = []
        for format in formats {
            let file = "\(name).\(format.fileExtension)"
            let target = try context.newFile(file)
            var settings = ImageFormat.Settings()
            settings.quality = preset.quality
            settings.keepsMetadata = preset.metadata == .keep
            settings.background = preset.background.values
            try format.save(picture, to: target, settings, context, name)
            var output = try StepOutput(file, file: target, mime: format.mime, in: context.folder)
            (output.width, output.height, output.variant) = (plan.width, plan.height, name)
            outputs.append(output)
        }
        return outputs
    }

    private func centre(
        _ plan: VariantPlan, _ crop: VariantPreset.Crop, _ point: SmartCrop?
    ) throws(VipsError) -> (x: Double, y: Double) {
        let size = (width: Double(plan.scaledWidth), height: Double(plan.scaledHeight))
        switch crop {
        case .focus(let x, let y): return (x * size.width, y * size.height)
        case .centre: return (size.width / 2, size.height / 2)
        case .smart:
            let found = try point?.attention(plan) ?? (x: 0.5, y: 0.5)
            return (found.x * size.width, found.y * size.height)
        }
    }

    private func pad(_ picture: Picture, _ plan: VariantPlan, _ background: Colour) throws(VipsError) -> Picture {
        var picture = picture
        if picture.bands < 3 {
            picture = try Operation("colourspace").set("in", picture).choose("space", "srgb").picture()
        }
        let ground = background.values + (picture.hasAlpha ? [255] : [])
        return try Operation("embed").set("in", picture).set("x", (plan.width - picture.width) / 2)
            .set("y", (plan.height - picture.height) / 2).set("width", plan.width).set("height", plan.height)
            .choose("extend", "background").set("background", ground).picture()
    }
}
