import Bytes
import Mongo
import Search
import Threads

/// A row of `assets`: the asset document as it is shown, for whoever reads the database, and what search needs of it. `_id` is the
/// asset's id, `r` the sequence of the head that it was made from; a row that is gone leaves `{_id, r, x}` for an hour.
///
/// - `w` has what the asset is found by: `0:` and each word, `1:` and each word of its name, `2:` and each word of its tags, and the
///   terms of filters as `FilterTerm` names them. A deleted asset has none.
/// - `s` has what answers are ordered and divided by, and what ranges and phrases are compared with: the words of `n` the name, `t` the
///   tags and `x` all else, as `Relevance` takes them; `z` size, `u` updated (ms), `d` duration (ms), `w` width, `h` height;
///   `f` the values of facets, see `AssetFacets`.
enum AssetProjection {
    /// Words by field.
    static let anywhere: UInt8 = 0x30
    static let inName: UInt8 = 0x31
    static let inTags: UInt8 = 0x32

    static func token(_ field: UInt8, _ word: [UInt8]) -> [UInt8] { [field, Ascii.colon] + word }

    /// The row, and the words that it is found by: none where the asset is deleted.
    static func fields(of document: AssetDocument, revision: Int64) -> (row: BSONDocument, words: Set<[UInt8]>) {
        var row = shown(document, revision: revision)
        guard document.asset.deleted == nil else { return (row, []) }
        let searched = document.searchDocument
        let terms = SearchTerms(of: searched)
        var words = Set<[UInt8]>()
        var tokens: [[UInt8]] = []
        func add(_ fields: [FieldWords], _ own: UInt8?) {
            for word in fields.flatMap({ $0.parts + $0.wholes }) {
                if words.insert(word).inserted { tokens.append(token(anywhere, word)) }
                if let own { tokens.append(token(own, word)) }
            }
        }
        add([terms.name], inName)
        add([terms.tags], inTags)
        add(terms.texts, nil)
        // Ranges are compared with the numbers themselves.
        tokens += terms.filters.filter { $0.kind != .bucket }.map(\.text)
        row.append("w", .array(Set(tokens).map { .text($0) }))
        var columns: BSONDocument = [
            "n": .text(Relevance.text(of: [terms.name])), "t": .text(Relevance.text(of: [terms.tags])),
            "x": .text(Relevance.text(of: terms.texts)), "z": .int64(searched.size), "u": .int64(searched.updated),
            "f": .binary(AssetFacets.record(of: searched)),
        ]
        columns.append("d", searched.duration.map { .int64($0) })
        columns.append("w", searched.width.map { .int64($0) })
        columns.append("h", searched.height.map { .int64($0) })
        row.append("s", .document(columns))
        return (row, words)
    }

    private static func shown(_ document: AssetDocument, revision: Int64) -> BSONDocument {
        let asset = document.asset
        var row: BSONDocument = ["_id": .binary(asset.id.bytes), "r": .int64(revision)]
        row.append("customer_id", asset.customer.map { .text($0) })
        row.append("user_id", .text(asset.user))
        row.append("type", .text(asset.type.name))
        row.append("name", text(document.name))
        row.append("original_filename", text(document.originalFilename))
        row.append("mime_type", text(document.contentType))
        row.append("size", .int64(Int64(clamping: document.object.size)))
        row.append("duration", asset.details.duration.map { .double(Double($0) / 1_000) })
        if let width = asset.details.width, let height = asset.details.height {
            row.append("dimensions", ["width": .int64(width), "height": .int64(height)])
        }
        row.append("storage", ["bucket": .text(document.bucket.utf8), "key": text(asset.key.utf8)])
        var metadata: BSONDocument = [
            "tags": .array(document.tags.map(text)), "folder": text(document.folder),
        ]
        metadata.append("title", document.title.map(text))
        metadata.append("description", document.description.map(text))
        metadata.append("category", document.category.map(text))
        // As JSON: names of fields are the program's.
        metadata.append("custom", asset.details.custom.map(text))
        row.append("metadata", .document(metadata))
        row.append("created_at", .date(asset.created.milliseconds))
        row.append("updated_at", .date(asset.updated.milliseconds))
        row.append("deleted_at", asset.deleted.map { .date($0.milliseconds) })
        return row
    }

    /// What is not UTF-8 shows as U+FFFD.
    private static func text(_ bytes: [UInt8]) -> BSONValue { .text(String(decoding: bytes, as: UTF8.self)) }
}

/// The values of facets that an asset counts under: its type, its folder (empty for none) and its tags, each as it is compared and,
/// where that is another, as it is shown.
enum AssetFacets {
    static func record(of document: SearchDocument) -> [UInt8] {
        var out = RecordWriter()
        func put(_ value: [UInt8], _ label: [UInt8]) {
            out.put(value)
            out.put(value == label ? [] : label)
        }
        put(document.type, document.type)
        put(FilterTerm.folder(document.folder), document.folder)
        for tag in document.tags { put(FilterTerm.tag(tag), tag) }
        return out.bytes
    }

    /// Calls `body` with each value, and how it is shown.
    static func each(
        of record: [UInt8], _ body: (Facet, _ value: [UInt8], _ label: [UInt8]) -> Void
    ) throws(MetadataError) {
        var reader = RecordReader(record)
        var facet = Facet.type
        while !reader.isAtEnd {
            let value = try reader.field()
            let label = try reader.field()
            if !value.isEmpty { body(facet, value, label.isEmpty ? value : label) }
            facet = facet == .type ? .folder : .tag
        }
    }
}

extension MongoStore {
    /// Makes the rows of assets anew from their heads, unless they were made from later ones. May be done twice, by several gateways at
    /// once, and by one that slept meanwhile. With `again` rows of the same revision are made anew too.
    func project(_ heads: [Head], removed: [AssetID] = [], again: Bool = false) async throws(MetadataError) {
        if heads.isEmpty, removed.isEmpty { return }
        var rows: [MongoDatabase.Update] = []
        var words = Set<[UInt8]>()
        for head in heads {
            guard let document = try await document(of: head) else { continue }
            let revision = BSONValue.int64(head.sequence)
            let made = AssetProjection.fields(of: document, revision: head.sequence)
            words.formUnion(made.words)
            rows.append(
                MongoDatabase.Update(
                    [
                        "_id": .binary(document.asset.id.bytes),
                        "r": again ? ["$lte": revision] : ["$lt": revision],
                    ], .document(made.row), upsert: true))
        }
        for id in removed {
            let highest = BSONValue.int64(Int64.max)
            rows.append(
                MongoDatabase.Update(
                    ["_id": .binary(id.bytes), "r": ["$lt": highest]],
                    .document([
                        "_id": .binary(id.bytes), "r": highest, "x": .date(Timestamp.now().milliseconds),
                    ]), upsert: true))
        }
        // A word that is found has been learnt.
        try await learn(words)
        try await perform { (database) throws(MongoError) in
            try database.update(rows, ignoringDuplicates: true, in: MongoSchema.assets)
        }
    }

    private func learn(_ words: Set<[UInt8]>) async throws(MetadataError) {
        let new = knownWords.withLock { words.subtracting($0) }
        if new.isEmpty { return }
        try await perform { (database) throws(MongoError) in
            try database.insert(
                new.map { ["_id": .text($0)] }, ignoringDuplicates: true, into: MongoSchema.words)
        }
        knownWords.withLock { known in
            if known.count >= Self.knownWordsMax { known = [] }
            known.formUnion(new)
        }
    }

    private static let knownWordsMax = 200_000
}
