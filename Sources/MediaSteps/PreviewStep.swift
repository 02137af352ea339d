import FoundationEssentials
import Vips

/// Shows what a file is: a small picture, a poster and a short animation, a waveform, the first page.
public struct PreviewStep {
    let options: PreviewOptions
    let context: StepContext

    public init(_ options: PreviewOptions, _ context: StepContext) {
        self.options = options
        self.context = context
    }

    public func run(_ input: String) throws(MediaError) -> [StepOutput] {
        try options.check()
        let type = try context.type(of: input)
        switch type.helper {
        case .images: return try still(input, "preview")
        case .documents where type == .pdf || type == .svg:
            return try still(input, type == .pdf ? "page-1" : "preview")
        case .media:
            let probe = try FilmProbe.read(input, type, context)
            return try probe.film != nil ? film(input, type, probe) : sound(input, type, probe)
        default: throw MediaError(.unsupported, "\(input) is of kind \(type.rawValue), of which there is no preview")
        }
    }

    /// The picture, or the first frame or page, inside the box.
    private func still(_ input: String, _ name: String) throws(MediaError) -> [StepOutput] {
        var preset = VariantPreset()
        preset.width = options.width
        preset.height = options.height
        preset.fit = .inside
        preset.formats = [options.format]
        preset.quality = options.quality
        return try VariantsStep([name: preset], context).run(input)
    }

    private func film(_ input: String, _ type: FileType, _ probe: FilmProbe) throws(MediaError) -> [StepOutput] {
        let length = probe.duration ?? 0
        let start = min(options.at ?? min(5, length / 10), max(0, length - 0.1))
        let seek = ["-ss", "\(start)"]
        let from = try FFmpeg.input(input, type, context)
        let box = "'min(\(options.width),iw)':'min(\(options.height),ih)':force_original_aspect_ratio=decrease"

        try context.begin("poster")
        let scratch = try context.newFile("poster-frame.png")
        defer { context.removeScratch(scratch) }
        // The most typical of some frames, as a single one is often black.
        try FFmpeg.run(
            seek + from + [
                "-map", "0:v:0", "-vf", "thumbnail=24,scale=\(box)", "-frames:v", "1", "-c:v", "png", "-f", "image2",
                "-update", "1", FFmpeg.output(scratch, context),
            ], stage: "poster", duration: nil, context)
        guard (try? context.folder.identity(of: scratch)) != nil else {
            throw MediaError(.undecodable, "\(input): no frame could be decoded")
        }
        var outputs = try still(scratch, "poster")
        guard options.seconds > 0 else { return outputs }

        try context.begin("animation")
        let name = "animation.webp"
        let file = try context.newFile(name)
        try FFmpeg.run(
            seek + ["-t", "\(options.seconds)"] + from + [
                "-map", "0:v:0", "-an", "-vf", "fps=8,scale='min(\(options.animationWidth),iw)':-2", "-c:v",
                "libwebp_anim", "-quality", "60", "-compression_level", "3", "-loop", "0", "-f", "webp",
                FFmpeg.output(file, context),
            ], stage: "animation", duration: options.seconds, context)
        let moving = try ImageFile.open(file, context)
        var output = try StepOutput(name, file: file, mime: "image/webp", in: context.folder)
        (output.width, output.height) = (moving.width, moving.height)
        outputs.append(output)
        return outputs
    }

    private func sound(_ input: String, _ type: FileType, _ probe: FilmProbe) throws(MediaError) -> [StepOutput] {
        try context.begin("waveform")
        var wave = Waveform()
        let expected = (probe.duration ?? 0) * Double(wave.sample_rate)
        try context.programs.run(
            .ffmpeg,
            FFmpeg.general + FFmpeg.input(input, type, context) + [
                "-map", "0:a:0", "-ac", "1", "-ar", "\(wave.sample_rate)", "-f", "s16le", "pipe:1",
            ], context
        ) { piece in
            wave.take(piece)
            if expected > 0 { context.progress("waveform", Double(wave.samples) / expected) }
            return true
        }
        wave.end()
        guard wave.samples > 0 else { throw MediaError(.undecodable, "\(input): no sound could be decoded") }

        let json = try context.newFile("waveform.json")
        guard let text = try? JSONEncoder().encode(wave) else { throw MediaError(.failed, "no JSON") }
        try context.folder.write(json, Array(text))
        var peaks = try StepOutput("waveform.json", file: json, mime: "application/json", in: context.folder)
        peaks.duration = Double(wave.samples) / Double(wave.sample_rate)

        let png = try context.newFile("waveform.png")
        do {
            let drawn = try Picture.make(
                pixels: wave.pixels(width: options.waveWidth, height: options.waveHeight, options.colour),
                width: options.waveWidth, height: options.waveHeight, bands: 4)
            try ImageFormat.png.save(drawn, to: png, ImageFormat.Settings(), context.folder, context.watch("waveform"))
        } catch let error as VipsError {
            throw MediaError(error, reading: "waveform")
        } catch let error as MediaError {
            throw error
        } catch {
            throw MediaError(.failed, "\(error)")
        }
        var picture = try StepOutput("waveform.png", file: png, mime: "image/png", in: context.folder)
        (picture.width, picture.height) = (options.waveWidth, options.waveHeight)
        return [picture, peaks]
    }
}
