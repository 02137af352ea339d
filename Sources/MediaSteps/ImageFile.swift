import Vips

/// A picture in the work folder whose header was read and found within the limits. Nothing is decoded yet.
struct ImageFile {
    let name: String
    let type: FileType
    /// Pixels of one frame, as it is seen: an orientation is applied. Of a drawing or page, at its own size.
    let width: Int
    let height: Int
    /// 1 for what does not move; the pages of a document.
    let frames: Int
    /// The header alone.
    let header: Picture
    /// The content of a drawing, which is loaded from memory: from there it refers to no other file.
    let content: [UInt8]?

    static let vectorSideMax = 100_000

    var isVector: Bool { type == .svg || type == .pdf }

    static func open(_ name: String, _ context: StepContext) throws(MediaError) -> ImageFile {
        let type = try context.type(of: name)
        guard let helper = type.helper, helper != .media, loader(type) != nil else {
            throw MediaError(
                .unsupported,
                type == .unknown ? "\(name) is no picture" : "\(name) is \(type.rawValue), not read as a picture")
        }
        if helper == .documents && context.helper != .documents { throw .otherClass(.documents, type) }
        var content: [UInt8]?
        if type == .svg {
            let bytes = try context.document(name)
            if let refusal = SVGCheck.refusal(bytes) { throw MediaError(.unsupported, "\(name): \(refusal)") }
            content = bytes
        }
        let header = try load(name, type, content, frames: 1, context)
        let frames = max(1, header.pages)
        let isTurned = header.orientation >= 5
        let file = ImageFile(
            name: name, type: type, width: isTurned ? header.pageHeight : header.width,
            height: isTurned ? header.width : header.pageHeight, frames: frames, header: header, content: content)
        try file.check(context.limits)
        return file
    }

    private func check(_ limits: MediaLimits) throws(MediaError) {
        guard width > 0, height > 0 else { throw MediaError(.undecodable, "\(name) has no pixels") }
        // Drawings and pages are scaled as they are rendered, but libvips scales by no less than a thousandth.
        guard !isVector || max(width, height) <= Self.vectorSideMax else {
            throw MediaError(.limit, "\(width) x \(height) units are more than \(Self.vectorSideMax) to a side")
        }
        if type == .pdf {
            guard frames <= limits.pagesMax else {
                throw MediaError(.limit, "\(frames) pages are more than \(limits.pagesMax)")
            }
            return
        }
        if type == .svg { return }
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= limits.pixelsMax else {
            throw MediaError(.limit, "\(width) x \(height) pixels are more than \(limits.pixelsMax)")
        }
        guard frames <= limits.framesMax else {
            throw MediaError(.limit, "\(frames) frames are more than \(limits.framesMax)")
        }
        // Frames are at most 2,000 and pixels fit the limit, so that the product fits.
        guard frames == 1 || pixels * frames <= limits.animationPixelsMax else {
            throw MediaError(
                .limit, "\(frames) frames of \(width) x \(height) pixels are more than \(limits.animationPixelsMax)")
        }
    }

    /// The pixels as stored, in rows from the top: those of the first frame, or of all, one below the other.
    func stream(allFrames: Bool, _ context: StepContext) throws(MediaError) -> Picture {
        try Self.load(name, type, content, frames: allFrames ? -1 : 1, context)
    }

    /// The picture at exactly `width` x `height` pixels in sRGB, upright, decoded no larger than that needs.
    func thumbnail(width: Int, height: Int, _ context: StepContext) throws(MediaError) -> Picture {
        if isVector {
            let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
            guard !overflow, pixels <= context.limits.renderedPixelsMax else {
                throw MediaError(.limit, "\(width) x \(height) pixels are more than a page is rendered at")
            }
        }
        let operation: Operation
        if let content {
            // The loader is told to fail by option string, as 8.14's thumbnail of a buffer drops its own `fail-on`.
            operation = Operation("thumbnail_buffer").set("buffer", bytes: content)
                .set("option-string", "[fail_on=error]")
        } else {
            operation = Operation("thumbnail").set("filename", try context.folder.path(of: name))
                .choose("fail-on", "error")
        }
        operation.set("width", width).set("height", height).choose("size", "force")
        if !ColourProfile.isStandard(header) { operation.set("export-profile", "srgb") }
        do {
            return try operation.picture()
        } catch {
            throw MediaError(error, reading: name)
        }
    }

    /// The pixels as they are stored, at `scale` or larger, where that is what QuickShrink takes and does not fill the memory;
    /// nil for all others. Of a JPEG at least twice as many as are wanted are decoded, as libvips does: the decoder's own
    /// shrinking is coarse.
    func plain(scale: Double, _ context: StepContext) throws(MediaError) -> Picture? {
        guard type == .jpeg || type == .png, header.orientation == 1, scale < 0.9, QuickShrink.takes(header) else {
            return nil
        }
        let shrink = type == .jpeg ? (scale <= 1.0 / 16 ? 8 : scale <= 1.0 / 8 ? 4 : scale <= 1.0 / 4 ? 2 : 1) : 1
        guard header.pixelBytes / (shrink * shrink) <= Self.plainBytesMax else { return nil }
        let operation = Operation(type == .jpeg ? "jpegload" : "pngload")
            .set("filename", try context.folder.path(of: name)).choose("access", "sequential").choose(
                "fail-on", "error")
        if shrink > 1 { operation.set("shrink", shrink) }
        do {
            return try operation.picture()
        } catch {
            throw MediaError(error, reading: name)
        }
    }

    private static let plainBytesMax = 64 << 20

    private static func loader(_ type: FileType) -> String? {
        switch type {
        case .jpeg: "jpegload"
        case .png: "pngload"
        case .webp: "webpload"
        case .gif: "gifload"
        case .tiff: "tiffload"
        case .avif: "heifload"
        case .svg: "svgload_buffer"
        case .pdf: "pdfload"
        default: nil
        }
    }

    private static func load(
        _ name: String, _ type: FileType, _ content: [UInt8]?, frames: Int, _ context: StepContext
    ) throws(MediaError) -> Picture {
        guard let loader = loader(type) else { throw MediaError(.unsupported, "\(type.rawValue) is no picture") }
        let operation = Operation(loader)
        if let content {
            operation.set("buffer", bytes: content)
        } else {
            operation.set("filename", try context.folder.path(of: name))
        }
        // Damage is an error, not a grey picture.
        operation.choose("access", "sequential").choose("fail-on", "error")
        if frames != 1 && (type == .gif || type == .webp) { operation.set("n", frames) }
        do {
            return try operation.picture()
        } catch {
            throw MediaError(error, reading: name)
        }
    }
}
