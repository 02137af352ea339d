public import Bytes
public import Search

/// An asset with its object, as it is shown and searched.
public struct AssetDocument: Sendable, Equatable {
    /// One version of the object.
    public struct Version: Sendable, Equatable {
        /// 1 for the oldest that is kept.
        public var number: Int
        public var created: Timestamp
        /// In bytes.
        public var size: UInt64
        public var id: VersionID

        public init(number: Int, created: Timestamp, size: UInt64, id: VersionID) {
            self.number = number
            self.created = created
            self.size = size
            self.id = id
        }
    }

    public var asset: Asset
    public var bucket: BucketName
    /// The newest version that is no delete marker, without its content.
    public var object: ObjectVersion
    /// The newest `versionsMax`, oldest first. Empty where they were not asked for.
    public var versions: [Version]

    public static let versionsMax = 100

    public init(asset: Asset, bucket: BucketName, object: ObjectVersion, versions: [Version]) {
        self.asset = asset
        self.bucket = bucket
        self.object = object
        self.versions = versions
    }

    public var name: [UInt8] { asset.details.name ?? AssetName.last(of: asset.key.utf8) }
    public var originalFilename: [UInt8] { asset.details.originalFilename ?? AssetName.last(of: asset.key.utf8) }
    public var title: [UInt8]? { asset.details.title ?? userMetadata("title") }
    public var description: [UInt8]? { asset.details.description ?? userMetadata("description") }
    public var category: [UInt8]? { asset.details.category ?? userMetadata("category") }
    public var folder: [UInt8] {
        asset.details.folder ?? AssetName.folder(of: asset.key.utf8, customer: asset.customer.map { [UInt8]($0.utf8) })
    }
    public var focalPoint: FocalPoint? { asset.details.focalPoint ?? FocalPoint(of: object.attributes) }
    public var contentType: [UInt8] { object.attributes.contentType ?? [UInt8]("binary/octet-stream".utf8) }
    /// `t` for a tag without a value, `k=v` for a pair.
    public var tags: [[UInt8]] { object.tags.map { $0.value.isEmpty ? $0.key : $0.key + [Ascii.equals] + $0.value } }

    /// The `x-amz-meta-` fields that have no place of their own among the asset's.
    public var otherUserMetadata: [UserMetadata] {
        object.attributes.userMetadata.filter { field in
            !["title", "description", "category", FocalPoint.fieldName.description].contains {
                $0.utf8.elementsEqual(field.name)
            }
        }
    }

    private func userMetadata(_ name: StaticString) -> [UInt8]? {
        object.attributes.userMetadata.first { Ascii.equal($0.name[...], name) }?.value
    }

    /// Search keeps some words of each text: the content's are several texts, cut at spaces where there are some.
    private var contentPieces: [[UInt8]] {
        var rest = (asset.details.text ?? [])[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            var piece = rest.prefix(Self.pieceLength)
            if piece.count < rest.count, let space = piece.lastIndex(of: Ascii.space), space > piece.startIndex {
                piece = piece[..<space]
            }
            pieces.append([UInt8](piece))
            rest = rest[piece.endIndex...]
        }
        return pieces
    }

    /// In bytes: words of four letters and a space, as many as search keeps of a text.
    private static let pieceLength = SearchTerms.textWordsMax * 5

    /// What search knows of it.
    public var searchDocument: SearchDocument {
        let texts = [title, description, category, asset.details.originalFilename, asset.details.custom]
        return SearchDocument(
            id: asset.id.bytes, customer: asset.customer.map { [UInt8]($0.utf8) }, type: [UInt8](asset.type.name.utf8),
            name: name, texts: texts.compactMap(\.self) + otherUserMetadata.map(\.value) + contentPieces, tags: tags,
            folder: folder,
            mime: contentType, size: Int64(clamping: object.size), created: asset.created.milliseconds,
            updated: asset.updated.milliseconds, duration: asset.details.duration, width: asset.details.width,
            height: asset.details.height)
    }
}
