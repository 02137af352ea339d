import Vips

/// What the camera wrote into a picture (EXIF 2.32), under EXIF's own names.
enum Exif {
    /// Nil for none.
    static func read(_ picture: Picture) -> [String: String]? {
        var found: [String: String] = [:]
        for field in picture.fields where field.hasPrefix("exif-ifd") {
            // Such as exif-ifd0-Model.
            let parts = field.split(separator: "-", maxSplits: 2)
            guard parts.count == 3, parts[1] != "ifd1", let value = picture.text(field).map(plain), !value.isEmpty,
                !ignored.contains(String(parts[2]))
            else { continue }
            found[String(parts[2])] = value
        }
        return ProbeStep.boundedKeepingNames(found)
    }

    /// Of use to nobody outside the file.
    private static let ignored: Set = [
        "MakerNote", "UserComment", "ExifVersion", "FlashPixVersion", "ComponentsConfiguration",
    ]

    /// libvips writes a value as "VALUE (SHOWN, TYPE, n components, m bytes)"; the value as libexif shows it is what people read.
    static func plain(_ text: String) -> String {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard text.hasSuffix(" bytes)"), parts.count >= 4 else { return text }
        let both = parts.dropLast(3).joined(separator: ",")
        // Where both are alike, each is half of what is there but for " (".
        let characters = Array(both)
        let half = (characters.count - 2) / 2
        if half > 0, characters.count == 2 * half + 2, characters[..<half] == characters[(half + 2)...] {
            return String(characters[..<half])
        }
        guard let open = both.firstRange(of: " (") else { return both }
        let shown = both[open.upperBound...]
        return shown.isEmpty ? String(both[..<open.lowerBound]) : String(shown)
    }
}

extension ProbeStep {
    /// As `bounded`, with the case of the names kept.
    static func boundedKeepingNames(_ fields: [String: String]) -> [String: String]? {
        let kept = fields.sorted { $0.key < $1.key }.filter { $0.key.utf8.count <= 100 }.prefix(200)
        guard !kept.isEmpty else { return nil }
        return Dictionary(
            kept.map { ($0.key, PlainText.cut(PlainText.squeezed($0.value), bytesMax: 1_000)) },
            uniquingKeysWith: { first, _ in first })
    }
}
