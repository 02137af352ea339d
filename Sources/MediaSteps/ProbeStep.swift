import Vips

/// Reads what a file says of itself, and what can be seen of it at a glance.
public struct ProbeStep {
    let context: StepContext

    public init(_ context: StepContext) { self.context = context }

    public func run(_ input: String) throws(MediaError) -> ProbeResult {
        try context.begin("probe")
        let size = try context.folder.identity(of: input).size
        let type = try context.type(of: input)
        guard let helper = type.helper else {
            throw MediaError(
                .unsupported, "\(input) is of \(type == .unknown ? "no known kind" : "kind \(type.rawValue)")")
        }
        switch type {
        case .svg: return try image(input, type, size)
        case .pdf, .docx, .text:
            if context.helper != .documents { throw .otherClass(.documents, type) }
            switch type {
            case .pdf: return try pdf(input, size)
            case .docx: return try docx(input, size)
            default: return try text(input, size)
            }
        default: return try helper == .media ? film(input, type, size) : image(input, type, size)
        }
    }

    private func image(_ input: String, _ type: FileType, _ size: Int) throws(MediaError) -> ProbeResult {
        let file = try ImageFile.open(input, context)
        var result = ProbeResult(.image, type, size: size)
        result.dimensions = .init(width: file.width, height: file.height)
        result.alpha = file.header.hasAlpha
        result.orientation = file.header.orientation
        result.colourSpace = file.header.interpretation
        if file.frames > 1 {
            result.frames = file.frames
            // Milliseconds, one number for each frame.
            let delays = (file.header.text("delay") ?? "").split(separator: " ").compactMap { Int($0) }
            if !delays.isEmpty { result.duration = delays.reduce(0) { $0 + Double($1) } / 1_000 }
        }
        result.exif = Exif.read(file.header)
        let small = try SmallPicture(file, context)
        result.dominantColour = small.dominant?.text
        result.placeholder = small.placeholder
        return result
    }

    private func film(_ input: String, _ type: FileType, _ size: Int) throws(MediaError) -> ProbeResult {
        let probe = try FilmProbe.read(input, type, context)
        var result = ProbeResult(probe.film == nil ? .audio : .video, type, size: size)
        result.duration = probe.duration
        result.bitrate = (probe.format?.bit_rate ?? probe.sound?.bit_rate).flatMap { Int($0) }
        if let sound = probe.sound {
            result.audioCodec = sound.codec_name
            result.sampleRate = sound.sample_rate.flatMap { Int($0) }
            result.channels = sound.channels
        }
        // Ogg keeps its tags with the stream.
        let tags = (probe.sound?.tags ?? [:]).merging(probe.format?.tags ?? [:]) { _, format in format }
        result.tags = Self.bounded(tags)
        if let film = probe.film {
            result.videoCodec = film.codec_name
            result.frameRate = Self.fraction(film.avg_frame_rate)
            if let seen = probe.size {
                result.dimensions = .init(width: seen.width, height: seen.height)
                if let small = try frame(input, type, probe, seen) {
                    result.dominantColour = small.dominant?.text
                    result.placeholder = small.placeholder
                }
            }
        }
        return result
    }

    /// A frame near the start, small; nil where none can be decoded, which is no reason to know nothing.
    private func frame(
        _ input: String, _ type: FileType, _ probe: FilmProbe, _ seen: (width: Int, height: Int)
    ) throws(MediaError) -> SmallPicture? {
        let size = SmallPicture.size(width: seen.width, height: seen.height)
        var pixels: [UInt8] = []
        let wanted = size.width * size.height * 4
        do {
            try context.programs.run(
                .ffmpeg,
                FFmpeg.general + ["-ss", "\(min(1, (probe.duration ?? 0) / 10))"] + FFmpeg.input(input, type, context)
                    + [
                        "-map", "0:v:0", "-vf", "scale=\(size.width):\(size.height)", "-frames:v", "1", "-f",
                        "rawvideo",
                        "-pix_fmt", "rgba", "pipe:1",
                    ], context
            ) { piece in
                pixels += piece
                return pixels.count <= wanted
            }
        } catch {
            if error.code != .undecodable { throw error }
        }
        return pixels.count == wanted ? SmallPicture(rgba: pixels, width: size.width, height: size.height) : nil
    }

    private func pdf(_ input: String, _ size: Int) throws(MediaError) -> ProbeResult {
        let document = try PDFDocument.open(try context.document(input), input)
        let pages = document.pages
        guard pages > 0 else { throw MediaError(.undecodable, "\(input) has no pages") }
        guard pages <= context.limits.pagesMax else {
            throw MediaError(.limit, "\(pages) pages are more than \(context.limits.pagesMax)")
        }
        var result = ProbeResult(.document, .pdf, size: size)
        result.pages = pages
        result.tags = Self.bounded(document.properties)
        var text = ""
        for page in 0..<pages where text.utf8.count < context.limits.textBytesMax {
            try context.begin("text")
            text += PlainText.squeezed(document.text(page: page)) + " "
            context.progress("text", Double(page) / Double(pages))
        }
        result.text = PlainText.cut(PlainText.squeezed(text), bytesMax: context.limits.textBytesMax)
        return result
    }

    private func docx(_ input: String, _ size: Int) throws(MediaError) -> ProbeResult {
        let archive = try ZipArchive(
            try context.document(input), unpackedBytesMax: context.limits.unpackedBytesMax)
        var words = WordText(bytesMax: context.limits.textBytesMax)
        try archive.unpack("word/document.xml") { words.take($0) }
        var result = ProbeResult(.document, .docx, size: size)
        result.text = PlainText.squeezed(
            PlainText.decode(words.text, bytesMax: context.limits.textBytesMax, isPart: true))
        result.pages = try part("docProps/app.xml", "Pages", archive).flatMap { Int($0) }
        var tags: [String: String] = [:]
        for (tag, element) in [("title", "dc:title"), ("author", "dc:creator"), ("subject", "dc:subject")] {
            tags[tag] = try part("docProps/core.xml", element, archive)
        }
        result.tags = Self.bounded(tags)
        return result
    }

    /// The text of the first such element of a small part; nil where there is none.
    private func part(_ name: String, _ element: String, _ archive: ZipArchive) throws(MediaError) -> String? {
        guard archive.entries.contains(where: { $0.name == name }) else { return nil }
        var xml: [UInt8] = []
        try archive.unpack(name) { piece in
            xml += piece
            return xml.count < 1 << 18
        }
        guard let start = xml.firstRange(of: Array("<\(element)>".utf8)),
            let end = xml[start.upperBound...].firstRange(of: Array("</\(element)>".utf8))
        else { return nil }
        return PlainText.squeezed(String(decoding: xml[start.upperBound..<end.lowerBound], as: UTF8.self))
    }

    private func text(_ input: String, _ size: Int) throws(MediaError) -> ProbeResult {
        var result = ProbeResult(.document, .text, size: size)
        // UTF-16 takes up to twice the bytes.
        let bytes = try context.folder.read(input, bytesMax: 2 * context.limits.textBytesMax)
        result.text = PlainText.squeezed(
            PlainText.decode(bytes, bytesMax: context.limits.textBytesMax, isPart: bytes.count < size))
        return result
    }

    /// At most 100 tags, of at most 1,000 bytes each; nil for none.
    static func bounded(_ tags: [String: String]) -> [String: String]? {
        let kept = tags.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty && $0.key.utf8.count <= 100 }.prefix(100)
        guard !kept.isEmpty else { return nil }
        return Dictionary(
            kept.map { ($0.key.lowercased(), PlainText.cut(PlainText.squeezed($0.value), bytesMax: 1_000)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Such as "30000/1001".
    private static func fraction(_ text: String?) -> Double? {
        let parts = (text ?? "").split(separator: "/").compactMap { Double($0) }
        guard parts.count == 2, parts[0] > 0, parts[1] > 0 else { return nil }
        return parts[0] / parts[1]
    }
}
