import Bytes
import Hooks
import JSON
import Metadata

/// The first line of a completion: what the files behind it are, and what was found.
struct CompletionReport: Sendable {
    struct File: Sendable {
        /// What the file is called; the gateway makes its key of it.
        var name: String
        /// In bytes.
        var size: UInt64
        var contentType: String
        /// The preset that made it.
        var variant: String?

        /// What the asset knows it by: the preset, or the kind of preview.
        var label: String { variant ?? String(name.prefix { $0 != "." }) }
    }

    var files: [File]
    var result: JSONValue?

    static let filesMax = 1_000

    init(_ line: [UInt8], sizeMax: UInt64) throws(Problem) {
        guard let value = JSONValue(parsing: line) else {
            throw Problem(400, "Not JSON", "The first line of the body is not valid JSON.")
        }
        do throws(JSONFault) {
            let members = try JSONMembers(value, of: ["files", "result"], at: "")
            result = members["result"]
            files = []
            for (place, value) in try members.list("files", countMax: Self.filesMax) {
                let file = try JSONMembers(value, of: ["name", "size", "content_type", "variant"], at: place)
                let wanted = "1 to 200 printable characters without / and braces"
                let name = try file.requiredText("name", wanted: wanted)
                guard Self.isName(name) else { throw file.fault("name", wanted: wanted) }
                guard let size = try file.integer("size", in: 0...Int64(clamping: sizeMax)) else {
                    throw file.fault("size", wanted: "the file's bytes")
                }
                let type = try file.text("content_type", wanted: "a content type") ?? "application/octet-stream"
                guard type.utf8.count <= 200, type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
                    throw file.fault("content_type", wanted: "a content type")
                }
                files.append(
                    File(
                        name: name, size: UInt64(clamping: size), contentType: type,
                        variant: try file.text("variant", wanted: "the name of a preset")))
            }
        } catch {
            throw Problem.invalid([.init(field: error.path, wanted: error.wanted)])
        }
    }

    private static func isName(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != Ascii.slash && $0 != 0x7B && $0 != 0x7D }
    }

    /// As a group keeps it. What makes it too long is left out, the text of a document first.
    var keptResult: [UInt8] {
        guard let result else { return [] }
        var members: [JSONValue.Member]
        if case .object(let all) = result { members = all } else { members = [.init("value", result)] }
        for name in ["text", "exif", "tags", "body"] {
            let text = JSONValue.object(members).text
            if text.count <= JobGroup.resultMax { return text }
            members.removeAll { $0.name == name }
            members.append(.init("\(name)_is_left_out", .bool(true)))
        }
        let text = JSONValue.object(members).text
        return text.count <= JobGroup.resultMax ? text : []
    }

    /// What a probe found of the object.
    var findings: AssetFindings {
        var found = AssetFindings()
        if let seconds = result?["duration"]?.number, seconds.isFinite, (0...1e9).contains(seconds) {
            found.duration = Int64(seconds * 1000)
        }
        if let width = result?["dimensions"]?["width"]?.integer,
            let height = result?["dimensions"]?["height"]?.integer
        {
            (found.width, found.height) = (width, height)
        }
        guard case .object(let members)? = result else { return found }
        // The rest is kept as it is; what the object says itself, and what has a place of its own, is not said twice.
        let others = ["type", "mime", "size", "duration", "dimensions", "text"]
        var media = members.filter { !others.contains($0.name) && $0.value != .null }
        for name in ["exif", "tags"] {
            if JSONValue.object(media).text.count <= Self.mediaMax { break }
            media.removeAll { $0.name == name }
        }
        let kept = JSONValue.object(media).text
        if !media.isEmpty, kept.count <= Self.mediaMax { found.media = kept }
        found.text = words
        return found
    }

    /// Of what an asset keeps beside its text, in bytes.
    private static let mediaMax = 16 << 10

    /// The values of embedded tags, then the text of a document; cut between characters.
    private var words: [UInt8]? {
        var texts: [String] = []
        if case .object(let tags)? = result?["tags"] { texts = tags.compactMap(\.value.string) }
        if let text = result?["text"]?.string { texts.append(text) }
        var words = Array(texts.joined(separator: " ").utf8)[...]
        if words.count > AssetFindings.textMax {
            words = words.prefix(AssetFindings.textMax)
            // A character's later bytes are 10xxxxxx.
            while let last = words.last, last & 0xC0 == 0x80 { words = words.dropLast() }
            if let last = words.last, last >= 0xC0 { words = words.dropLast() }
        }
        return words.isEmpty ? nil : [UInt8](words)
    }
}
