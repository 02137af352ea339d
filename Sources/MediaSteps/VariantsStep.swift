import Threads
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
        let type = try file?.type ?? context.type(of: input)
        var parts: [Part] = []
        for (place, plan) in plans.enumerated() { parts.append(try part(plan, presets[place], point, type)) }
        return try write(parts, shared, input)
    }

    /// A preset with all that is decided of it.
    private struct Part {
        let name: String
        let preset: VariantPreset
        let plan: VariantPlan
        let corner: (x: Int, y: Int)
        /// Names of the outputs, and of their files.
        let outputs: [(format: ImageFormat, name: String, file: String)]
    }

    private func part(
        _ plan: VariantPlan, _ named: (name: String, preset: VariantPreset), _ point: SmartCrop?, _ type: FileType
    ) throws -> Part {
        let formats = named.preset.formats.isEmpty ? [ImageFormat(type) ?? .jpeg] : named.preset.formats
        var outputs: [(format: ImageFormat, name: String, file: String)] = []
        for format in formats {
            let name = "\(named.name).\(format.fileExtension)"
            outputs.append((format, name, try context.newFile(name)))
        }
        let corner = plan.crops ? plan.corner(around: try centre(plan, named.preset.crop, point)) : (x: 0, y: 0)
        return Part(name: named.name, preset: named.preset, plan: plan, corner: corner, outputs: outputs)
    }

    /// Makes all parts, two at a time.
    private func write(_ parts: [Part], _ shared: Picture, _ input: String) throws(MediaError) -> [StepOutput] {
        let failures = Failures()
        TwoThreads.run(count: parts.count) { [context] index, isCaller in
            let part = parts[index]
            guard failures.first == nil else { return }
            do {
                // Progress is told by one thread.
                if isCaller { try context.begin(part.name) }
                let watch = isCaller ? context.watch(part.name) : context.quietWatch
                try Self.write(part, shared, context.folder, watch)
            } catch let error as VipsError {
                failures.add(MediaError(error, reading: input))
            } catch {
                failures.add(error as? MediaError ?? MediaError(.failed, "\(error)"))
            }
        }
        if let failure = failures.first { throw failure }
        var outputs: [StepOutput] = []
        for part in parts {
            for made in part.outputs {
                var output = try StepOutput(made.name, file: made.file, mime: made.format.mime, in: context.folder)
                (output.width, output.height, output.variant) = (part.plan.width, part.plan.height, part.name)
                outputs.append(output)
            }
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

    private static func write(_ part: Part, _ shared: Picture, _ folder: WorkFolder, _ watch: Watch) throws {
        let (plan, preset) = (part.plan, part.preset)
        var picture = shared
        if let region = try QuickShrink.region(of: shared, plan, corner: part.corner, watch) {
            picture = region
        } else {
            if shared.width != plan.scaledWidth || shared.height != plan.scaledHeight {
                picture = try Operation("thumbnail_image").set("in", shared).set("width", plan.scaledWidth)
                    .set("height", plan.scaledHeight).choose("size", "force").set("no-rotate", true).picture()
            }
            if plan.crops {
                picture = try Operation("extract_area").set("input", picture).set("left", part.corner.x)
                    .set("top", part.corner.y).set("width", plan.width).set("height", plan.height).picture()
            } else if plan.pads {
                picture = try pad(picture, plan, preset.background)
            }
        }
        // A header of its own, as two threads watch two pictures.
        picture = try part.outputs.count > 1 ? picture.inMemory(watch) : picture.copy()
        for output in part.outputs {
            var settings = ImageFormat.Settings()
            settings.quality = preset.quality
            settings.keepsMetadata = preset.metadata == .keep
            settings.background = preset.background.values
            try output.format.save(picture, to: output.file, settings, folder, watch)
        }
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

    private static func pad(_ picture: Picture, _ plan: VariantPlan, _ background: Colour) throws(VipsError) -> Picture
    {
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

/// The errors of parts that run at once.
private final class Failures: Sendable {
    private let list = Lock<[MediaError]>([])

    var first: MediaError? { list.withLock { $0.first } }
    func add(_ error: MediaError) { list.withLock { $0.append(error) } }
}
