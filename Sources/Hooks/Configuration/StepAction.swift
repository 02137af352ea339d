import Bytes
public import JSON
public import Metadata

/// What one step of a hook does.
public enum StepAction: Sendable, Equatable {
    case watermark(WatermarkOptions)
    /// Names of presets.
    case variants([String])
    case preview(PreviewOptions)
    case probe
    /// Names of profiles.
    case transcode([TranscodeProfile])
    /// The name of a registered addon, and where its metadata goes: a path below the asset's metadata.
    case addon(String, save: [String])
    case deliver(DeliverOptions)
    /// Tags to write; their values may name results as `{step.path}`.
    case tag([Tag])

    public enum TranscodeProfile: String, Sendable, CaseIterable {
        case mp3 = "mp3-128k", aac = "aac-128k", h264 = "h264-720p", webm = "webm-720p"
    }

    static let names = ["watermark", "variants", "preview", "probe", "transcode", "addon", "deliver", "tag"]

    /// The member's name that such a step has in the document.
    public var name: String {
        switch self {
        case .watermark: "watermark"
        case .variants: "variants"
        case .preview: "preview"
        case .probe: "probe"
        case .transcode: "transcode"
        case .addon: "addon"
        case .deliver: "deliver"
        case .tag: "tag"
        }
    }

    /// Whether foreign bytes are decoded for it.
    public var isMedia: Bool {
        switch self {
        case .watermark, .variants, .preview, .probe, .transcode: true
        case .addon, .deliver, .tag: false
        }
    }

    /// Whether it makes files that a later step can take.
    public var makesFiles: Bool {
        switch self {
        case .watermark, .variants, .preview, .transcode, .addon: true
        case .probe, .deliver, .tag: false
        }
    }

    /// Members that belong to one action only, beside its own.
    static let ownMembers: [String: [String]] = ["addon": ["save"]]

    init(
        _ name: String, in members: JSONMembers, presets: Set<String>
    ) throws(JSONFault) {
        let path = members.path(of: name)
        let value = try members.required(name, wanted: "what the step does")
        switch name {
        case "watermark": self = .watermark(try WatermarkOptions(reading: value, at: path))
        case "variants":
            let wanted = "the name of one of the presets, or a list of them"
            let names = try members.texts(name, countMax: HookConfiguration.presetCountMax, wanted: wanted)
            guard !names.isEmpty else { throw members.fault(name, wanted: wanted) }
            for (place, text) in names where !presets.contains(text) {
                throw JSONFault(path: place, value: text, wanted: wanted)
            }
            self = .variants(names.map(\.text).uniqued())
        case "preview":
            self = .preview(try PreviewOptions(reading: value, at: path))
        case "probe":
            guard value == .bool(true) || value == .object([]) else { throw members.fault(name, wanted: "true") }
            self = .probe
        case "transcode":
            let profiles = try Self.choices(members, name, TranscodeProfile.self)
            guard !profiles.isEmpty else { throw members.fault(name, wanted: "a profile, or a list of them") }
            self = .transcode(profiles)
        case "addon":
            guard let addon = try members.name(name) else { throw members.fault(name, wanted: HookName.wanted) }
            self = .addon(addon, save: try Self.savePath(members))
        case "deliver": self = .deliver(try DeliverOptions(reading: value, at: path))
        default: self = .tag(try Self.tags(value, at: path))
        }
    }

    /// `true` or an empty object stands for none, which is all that fit.
    private static func choices<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ members: JSONMembers, _ name: String, _ choices: Choice.Type
    ) throws(JSONFault) -> [Choice] where Choice.RawValue == String {
        if members[name] == .bool(true) || members[name] == .object([]) { return [] }
        let wanted = Choice.allCases.map(\.rawValue).joined(separator: ", ").namingChoices()
        var found: [Choice] = []
        for (place, text) in try members.texts(name, countMax: Choice.allCases.count, wanted: wanted) {
            guard let choice = Choice(rawValue: text), !found.contains(choice) else {
                throw JSONFault(path: place, value: text, wanted: "\(wanted), each once")
            }
            found.append(choice)
        }
        return found
    }

    private static func savePath(_ members: JSONMembers) throws(JSONFault) -> [String] {
        let wanted = "a path such as metadata.custom.faces, of at most 8 names"
        guard let text = try members.text("save", wanted: wanted) else { return [] }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.count <= 8, parts[0] == "metadata", parts[1] == "custom",
            parts.allSatisfy(HookName.isName)
        else { throw members.fault("save", wanted: wanted) }
        return Array(parts.dropFirst(2))
    }

    private static func tags(_ value: JSONValue, at path: String) throws(JSONFault) -> [Tag] {
        let members = try JSONMembers(anyOf: value, at: path)
        guard (1...10).contains(members.names.count) else { throw JSONFault(path: path, wanted: "1 to 10 tags") }
        var tags: [Tag] = []
        for name in members.names {
            let text = try members.requiredText(name, wanted: "a text")
            guard (1...128).contains(name.unicodeScalars.count), text.unicodeScalars.count <= 256 else {
                throw members.fault(name, wanted: "a tag of at most 128 characters with a value of at most 256")
            }
            tags.append(Tag(key: Array(name.utf8), value: Array(text.utf8)))
        }
        return tags
    }
}

/// Where a `deliver` step sends files: a POST of `multipart/form-data` (RFC 7578) for each.
public struct DeliverOptions: Sendable, Equatable {
    public var url: String
    /// The name of the field with the file.
    public var field = "file"
    /// Further fields; their values may hold `{bucket}`, `{key}`, `{name}`, `{version}`, `{worker}`.
    public var fields: [Field] = []

    public struct Field: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let wanted = "an absolute http or https URL without user and password"
        if let url = value.string {
            guard ResourceAddress.isURL(url) else { throw JSONFault(path: path, value: url, wanted: wanted) }
            self.url = url
            return
        }
        let members = try JSONMembers(value, of: ["url", "field", "fields"], at: path)
        url = try members.requiredText("url", wanted: wanted)
        guard ResourceAddress.isURL(url) else { throw members.fault("url", wanted: wanted) }
        field = try members.name("field") ?? field
        guard let value = members["fields"] else { return }
        let inner = try JSONMembers(anyOf: value, at: members.path(of: "fields"))
        guard inner.names.count <= 50 else { throw members.fault("fields", wanted: "at most 50 fields") }
        for name in inner.names {
            guard HookName.isName(name) else {
                throw JSONFault(path: inner.path(of: name), wanted: HookName.wanted)
            }
            let text = try inner.requiredText(name, wanted: "a text of at most 4096 bytes")
            guard text.utf8.count <= 4096 else { throw inner.fault(name, wanted: "a text of at most 4096 bytes") }
            fields.append(Field(name: name, value: text))
        }
    }
}

extension Array where Element: Equatable {
    /// Without what stands before already.
    fileprivate func uniqued() -> [Element] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
