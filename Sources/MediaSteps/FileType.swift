/// What a file is, decided by its first bytes and never by its name.
public enum FileType: String, Sendable, CaseIterable {
    case jpeg, png, webp, gif, tiff, avif, heif
    case svg, pdf, docx, zip, text
    case wav, mp3, ogg, flac, aac, mp4, matroska, webm, avi
    case unknown

    /// Bytes at the start that `sniff` looks at, at most.
    public static let headBytes = 4096

    public var mime: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .webp: "image/webp"
        case .gif: "image/gif"
        case .tiff: "image/tiff"
        case .avif: "image/avif"
        case .heif: "image/heif"
        case .svg: "image/svg+xml"
        case .pdf: "application/pdf"
        case .docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        case .zip: "application/zip"
        case .text: "text/plain"
        case .wav: "audio/wav"
        case .mp3: "audio/mpeg"
        case .ogg: "audio/ogg"
        case .flac: "audio/flac"
        case .aac: "audio/aac"
        case .mp4: "video/mp4"
        case .matroska: "video/x-matroska"
        case .webm: "video/webm"
        case .avi: "video/x-msvideo"
        case .unknown: "application/octet-stream"
        }
    }

    /// Nil where no helper takes it.
    public var helper: HelperClass? {
        switch self {
        case .jpeg, .png, .webp, .gif, .tiff, .avif: .images
        case .svg, .pdf, .docx, .text: .documents
        case .wav, .mp3, .ogg, .flac, .aac, .mp4, .matroska, .webm, .avi: .media
        case .heif, .zip, .unknown: nil
        }
    }

    /// The demuxer that ffmpeg is told to use, so that it guesses no other: a playlist would name further files.
    var demuxer: String? {
        switch self {
        case .wav: "wav"
        case .mp3: "mp3"
        case .ogg: "ogg"
        case .flac: "flac"
        case .aac: "aac"
        case .mp4: "mov"
        case .matroska, .webm: "matroska"
        case .avi: "avi"
        default: nil
        }
    }

    /// `head` holds the first `headBytes` bytes, or the whole of a shorter file.
    public static func sniff(_ head: [UInt8]) -> FileType {
        func at(_ place: Int, _ text: String) -> Bool { head.dropFirst(place).starts(with: text.utf8) }
        if head.starts(with: [0xff, 0xd8, 0xff]) { return .jpeg }
        if head.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return .png }
        if at(0, "GIF87a") || at(0, "GIF89a") { return .gif }
        if head.starts(with: [0x49, 0x49, 0x2a, 0]) || head.starts(with: [0x4d, 0x4d, 0, 0x2a]) { return .tiff }
        if at(0, "RIFF") {
            if at(8, "WEBP") { return .webp }
            if at(8, "WAVE") { return .wav }
            if at(8, "AVI ") { return .avi }
        }
        if at(4, "ftyp") { return isoMedia(head) }
        if at(0, "%PDF-") { return .pdf }
        if at(0, "OggS") { return .ogg }
        if at(0, "fLaC") { return .flac }
        if at(0, "ID3") { return .mp3 }
        if head.starts(with: [0x1a, 0x45, 0xdf, 0xa3]) { return contains(head.prefix(64), "webm") ? .webm : .matroska }
        if head.starts(with: [0x50, 0x4b, 3, 4]) {
            // Word writes this entry first or near the start; what else a ZIP holds is not looked for.
            return contains(head, "word/") || contains(head, "[Content_Types].xml") ? .docx : .zip
        }
        if head.count >= 4, head[0] == 0xff, head[1] & 0xe0 == 0xe0 {
            // The layer field: 0 in ADTS, 1 in layer III. What is left may be the mark of UTF-16.
            if head[1] & 0x06 == 0 { return head[1] & 0xf0 == 0xf0 ? .aac : .unknown }
            if head[1] & 0x06 == 2 { return head[2] & 0xf0 != 0xf0 && head[2] & 0x0c != 0x0c ? .mp3 : .unknown }
            if head[1] != 0xfe { return .unknown }
        }
        return SVGCheck.looksLikeSVG(head) ? .svg : PlainText.looksLikeText(head) ? .text : .unknown
    }

    private static func isoMedia(_ head: [UInt8]) -> FileType {
        let size = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        // The major brand, then a version of four bytes, then the compatible ones.
        let brands = stride(from: 8, to: min(head.count, max(16, size)) - 3, by: 4).map { Array(head[$0..<($0 + 4)]) }
        if brands.contains(Array("avif".utf8)) || brands.contains(Array("avis".utf8)) { return .avif }
        let heif = ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].map { Array($0.utf8) }
        return brands.first.map(heif.contains) == true ? .heif : .mp4
    }

    private static func contains(_ bytes: some Collection<UInt8>, _ text: String) -> Bool {
        bytes.firstRange(of: Array(text.utf8)) != nil
    }
}
