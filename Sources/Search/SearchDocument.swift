import Bytes

/// What search knows of an asset.
public struct SearchDocument: Sendable, Equatable {
    /// 16 bytes.
    public var id: [UInt8]
    public var customer: [UInt8]?
    public var type: [UInt8]
    public var name: [UInt8]
    /// Title, description, the name of the file that was uploaded, values of custom fields.
    public var texts: [[UInt8]]
    /// `t` or `k=v`.
    public var tags: [[UInt8]]
    /// Without slashes at its ends.
    public var folder: [UInt8]
    /// With or without parameters.
    public var mime: [UInt8]
    /// In bytes.
    public var size: Int64
    /// Milliseconds since 1970.
    public var created: Int64
    public var updated: Int64
    /// In milliseconds.
    public var duration: Int64?
    /// In pixels.
    public var width: Int64?
    public var height: Int64?

    public init(
        id: [UInt8], customer: [UInt8]?, type: [UInt8], name: [UInt8], texts: [[UInt8]], tags: [[UInt8]],
        folder: [UInt8], mime: [UInt8], size: Int64, created: Int64, updated: Int64, duration: Int64? = nil,
        width: Int64? = nil, height: Int64? = nil
    ) {
        self.id = id
        self.customer = customer
        self.type = type
        self.name = name
        self.texts = texts
        self.tags = tags
        self.folder = folder
        self.mime = mime
        self.size = size
        self.created = created
        self.updated = updated
        self.duration = duration
        self.width = width
        self.height = height
    }

    public func value(of field: NumericField) -> Int64? {
        switch field {
        case .size: size
        case .created: created
        case .updated: updated
        case .duration: duration
        case .width: width
        case .height: height
        }
    }
}

/// Everything that a document is found by.
public struct SearchTerms: Sendable, Equatable {
    public var name: FieldWords
    public var tags: FieldWords
    /// One for each text, and for the folder.
    public var texts: [FieldWords]
    /// Without doubles. `created` has no buckets: stores keep assets in that order.
    public var filters: [FilterTerm]

    /// Words of a name, of all tags, and of each other text that are kept.
    public static let nameWordsMax = 64
    public static let tagWordsMax = 128
    public static let textWordsMax = 512

    public init(of document: SearchDocument) {
        name = FieldWords(document.name, countMax: Self.nameWordsMax)
        tags = FieldWords([UInt8](document.tags.joined(separator: [Ascii.space])), countMax: Self.tagWordsMax)
        texts = (document.texts + [document.folder]).map { FieldWords($0, countMax: Self.textWordsMax) }
            .filter { !$0.parts.isEmpty }
        var filters: [FilterTerm] = [.every, FilterTerm(.type, document.type)]
        for tag in document.tags {
            let folded = FilterTerm.tag(tag)
            filters.append(FilterTerm(.tag, folded))
            if let equals = folded.firstIndex(of: Ascii.equals) {
                filters.append(FilterTerm(.tag, [UInt8](folded[..<equals])))
            }
        }
        filters += Self.folders(of: FilterTerm.folder(document.folder)).map { FilterTerm(.folder, $0) }
        filters += Self.mimes(of: document.mime).map { FilterTerm(.mime, $0) }
        if let customer = document.customer { filters.append(FilterTerm(.customer, customer)) }
        for field in NumericField.allCases where field != .created {
            filters += NumericBuckets.terms(of: document.value(of: field), field)
        }
        var seen = Set<FilterTerm>()
        self.filters = filters.filter { seen.insert($0).inserted }
    }

    /// Folders above each other that are kept.
    private static let foldersMax = 32

    /// `a/b` lies in `a/b` and in `a`.
    private static func folders(of folder: [UInt8]) -> [[UInt8]] {
        if folder.isEmpty { return [[]] }
        let ends = folder.indices.filter { folder[$0] == Ascii.slash } + [folder.endIndex]
        return ends.prefix(foldersMax - 1).map { [UInt8](folder[..<$0]) } + (ends.count >= foldersMax ? [folder] : [])
    }

    private static func mimes(of mime: [UInt8]) -> [[UInt8]] {
        let essence = Ascii.lowered(Ascii.trimmed(Ascii.split(mime[...], at: Ascii.semicolon)[0]))
        guard let slash = essence.firstIndex(of: Ascii.slash) else { return [] }
        return [essence, essence[...slash] + [Ascii.asterisk]]
    }
}
