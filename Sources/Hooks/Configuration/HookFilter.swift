import Bytes
public import JSON
public import Metadata

/// Which objects a hook is for: all parts that are set must hold.
public struct HookFilter: Sendable, Equatable {
    /// Of the key's bytes.
    public var prefix: [UInt8] = []
    public var suffix: [UInt8] = []
    /// Content types in lower case without parameters; `image/*` stands for a group. Empty for any.
    public var mimes: [String] = []
    /// Empty for any.
    public var types: Set<AssetType> = []
    /// Each must be among the object's tags.
    public var tags: [Tag] = []
    /// Each must be among the object's user metadata; names in lower case.
    public var metadata: [UserMetadata] = []
    /// In bytes.
    public var sizes: ClosedRange<UInt64> = 0...UInt64.max
    /// Empty for any.
    public var customers: Set<String> = []

    public init() {}

    static let countMax = 100

    public init(reading value: JSONValue, at path: String) throws(JSONFault) {
        let members = try JSONMembers(
            value, of: ["prefix", "suffix", "mime", "type", "tags", "metadata", "size", "customer"], at: path)
        prefix = Array((try members.text("prefix", wanted: "the beginning of keys") ?? "").utf8)
        suffix = Array((try members.text("suffix", wanted: "the end of keys") ?? "").utf8)
        for (name, text) in [("prefix", prefix), ("suffix", suffix)] where text.count > 1024 {
            throw members.fault(name, wanted: "at most 1024 bytes")
        }
        for (place, text) in try members.texts("mime", countMax: Self.countMax, wanted: Self.mimeWanted) {
            let mime = String(decoding: Ascii.lowered(text.utf8), as: UTF8.self)
            guard Self.isMime(mime) else { throw JSONFault(path: place, value: text, wanted: Self.mimeWanted) }
            mimes.append(mime)
        }
        let typeWanted = AssetType.allCases.map(\.name).joined(separator: ", ").namingChoices()
        for (place, text) in try members.texts("type", countMax: Self.countMax, wanted: typeWanted) {
            guard let type = AssetType.allCases.first(where: { $0.name == text }) else {
                throw JSONFault(path: place, value: text, wanted: typeWanted)
            }
            types.insert(type)
        }
        tags = try Self.pairs(members, "tags").map { Tag(key: $0, value: $1) }
        metadata = try Self.pairs(members, "metadata").map { UserMetadata(name: Ascii.lowered($0), value: $1) }
        if let size = members["size"] { sizes = try Self.sizes(size, at: members.path(of: "size")) }
        for (place, text) in try members.texts("customer", countMax: Self.countMax, wanted: "a customer's name") {
            guard !text.isEmpty else { throw JSONFault(path: place, value: text, wanted: "a customer's name") }
            customers.insert(text)
        }
    }

    private static let mimeWanted = "a content type such as image/png, or a group of them such as image/*"

    private static func isMime(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: Ascii.slash, omittingEmptySubsequences: false)
        let isToken: (Substring.UTF8View) -> Bool = { part in
            !part.isEmpty && part.count <= 127
                && part.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?=*".utf8.contains($0) }
        }
        guard parts.count == 2, isToken(parts[0]) else { return false }
        return parts[1].elementsEqual("*".utf8) || isToken(parts[1])
    }

    /// An object `{"name": "value"}`, or for tags a list of `name` and `name=value`.
    private static func pairs(_ members: JSONMembers, _ name: String) throws(JSONFault) -> [([UInt8], [UInt8])] {
        guard let value = members[name] else { return [] }
        let wanted = "an object of texts, or a list of texts such as name=value"
        var pairs: [([UInt8], [UInt8])] = []
        if case .array = value {
            for (_, text) in try members.texts(name, countMax: countMax, wanted: wanted) {
                let parts = text.utf8.split(separator: Ascii.equals, maxSplits: 1, omittingEmptySubsequences: false)
                pairs.append((Array(parts[0]), parts.count > 1 ? Array(parts[1]) : []))
            }
            return pairs
        }
        let object = try JSONMembers(anyOf: value, at: members.path(of: name))
        guard object.names.count <= countMax else { throw members.fault(name, wanted: "at most \(countMax) pairs") }
        for member in object.names {
            guard let text = try object.text(member, wanted: "a text") else { continue }
            pairs.append((Array(member.utf8), Array(text.utf8)))
        }
        return pairs
    }

    private static func sizes(_ value: JSONValue, at path: String) throws(JSONFault) -> ClosedRange<UInt64> {
        let members = try JSONMembers(value, of: ["min", "max"], at: path)
        let (low, high) = (try members.size("min") ?? 0, try members.size("max") ?? UInt64.max)
        guard low <= high else { throw members.fault("max", wanted: "a size not below min") }
        return low...high
    }
}

/// What filters look at. Of a removed object it is the version that was the latest before.
public struct FilteredObject: Sendable {
    public var key: [UInt8]
    /// In bytes.
    public var size: UInt64
    public var contentType: [UInt8]?
    public var tags: [Tag]
    public var userMetadata: [UserMetadata]
    /// The customer whose object it is; nil for none.
    public var customer: String?

    public init(
        key: [UInt8], size: UInt64, contentType: [UInt8]?, tags: [Tag], userMetadata: [UserMetadata], customer: String?
    ) {
        self.key = key
        self.size = size
        self.contentType = contentType
        self.tags = tags
        self.userMetadata = userMetadata
        self.customer = customer
    }
}

extension HookFilter {
    /// Pure: it depends on nothing but its arguments.
    public func matches(_ object: FilteredObject) -> Bool {
        guard object.key.starts(with: prefix), object.key.count >= suffix.count,
            object.key.suffix(suffix.count).elementsEqual(suffix), sizes.contains(object.size)
        else { return false }
        if !mimes.isEmpty, !mimes.contains(where: { Self.matches($0, object.contentType ?? []) }) { return false }
        if !types.isEmpty, !types.contains(AssetType(contentType: object.contentType, key: object.key)) { return false }
        if !customers.isEmpty, !(object.customer.map(customers.contains) ?? false) { return false }
        return tags.allSatisfy(object.tags.contains)
            && metadata.allSatisfy { wanted in
                object.userMetadata.contains { Ascii.lowered($0.name) == wanted.name && $0.value == wanted.value }
            }
    }

    private static func matches(_ mime: String, _ contentType: [UInt8]) -> Bool {
        let essence = Ascii.lowered(Ascii.trimmed(contentType.prefix { $0 != Ascii.semicolon }))
        if mime.hasSuffix("/*") { return essence.starts(with: mime.utf8.dropLast()) }
        return essence.elementsEqual(mime.utf8)
    }
}
