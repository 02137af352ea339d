public import JSON

/// What an addon found and made.
public struct AddonAnswer: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public enum Content: Sendable, Equatable {
            case url(String)
            case bytes([UInt8])
        }

        /// As the addon calls it.
        public var name: String?
        public var contentType: String?
        public var content: Content

        public init(name: String?, contentType: String?, content: Content) {
            (self.name, self.contentType, self.content) = (name, contentType, content)
        }
    }

    public var metadata: JSONValue?
    public var files: [File] = []

    /// Of an answer.
    public static let filesMax = 100
    /// Of `metadata` as JSON, in bytes.
    public static let metadataMax = 48 << 10

    public init(metadata: JSONValue? = nil, files: [File] = []) { (self.metadata, self.files) = (metadata, files) }
}

/// What an addon says, at once, to a look, or by calling back.
public enum AddonWord: Sendable, Equatable {
    /// It is at work.
    case progress(stage: String?, fraction: Double)
    case done(AddonAnswer)
    case failed(reason: String, isPermanent: Bool)
}

extension AddonWord {
    private enum Status: String, CaseIterable {
        case processing, completed, failed
    }

    /// `{"status", "progress", "stage", "metadata", "files", "error"}`; further members are passed over. Without a status what stands
    /// there says it: an error that it failed, metadata or files that it is done, neither of them that it is at work.
    public init(reading value: JSONValue) throws(JSONFault) {
        let members = try JSONMembers(anyOf: value, at: "")
        let hasResult = members.has("metadata") || members.has("files")
        let status =
            try members.choice("status", Status.self)
            ?? (members.has("error") ? .failed : hasResult ? .completed : .processing)
        switch status {
        case .processing:
            guard members.has("status") || members.has("progress") || members.has("stage") else {
                throw JSONFault(path: "", wanted: "metadata, files, progress, status or error")
            }
            self = .progress(
                stage: try members.text("stage", wanted: "a text"),
                fraction: try members.number("progress", in: 0...1) ?? 0)
        case .failed: self = try Self.failure(members)
        case .completed:
            let metadata = members["metadata"]
            if let metadata, metadata.text.count > AddonAnswer.metadataMax {
                throw JSONFault(path: "metadata", wanted: "at most \(AddonAnswer.metadataMax >> 10) KiB of JSON")
            }
            var answer = AddonAnswer(metadata: metadata)
            for (place, value) in try members.list("files", countMax: AddonAnswer.filesMax) {
                answer.files.append(try Self.file(value, at: place))
            }
            self = .done(answer)
        }
    }

    private static func failure(_ members: JSONMembers) throws(JSONFault) -> AddonWord {
        let wanted = "a text, or {\"message\", \"permanent\"}"
        guard let value = members["error"] else { return .failed(reason: "it gave no reason", isPermanent: false) }
        if let text = value.string { return .failed(reason: String(text.prefix(500)), isPermanent: false) }
        guard case .object = value else { throw members.fault("error", wanted: wanted) }
        let inner = try JSONMembers(anyOf: value, at: members.path(of: "error"))
        let message = try inner.text("message", wanted: "a text") ?? "it gave no reason"
        return .failed(reason: String(message.prefix(500)), isPermanent: try inner.flag("permanent") ?? false)
    }

    private static func file(_ value: JSONValue, at path: String) throws(JSONFault) -> AddonAnswer.File {
        let members = try JSONMembers(anyOf: value, at: path)
        let wanted = "an http or https URL of at most 2048 characters, without user and password"
        let url = try members.requiredText("url", wanted: wanted)
        guard ResultURL.isUsable(url) else { throw JSONFault(path: members.path(of: "url"), wanted: wanted) }
        return AddonAnswer.File(
            name: try members.text("name", wanted: "a name"),
            contentType: try members.text("content_type", wanted: "a content type"), content: .url(url))
    }
}
