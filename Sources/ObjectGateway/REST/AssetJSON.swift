import Bytes
import JSON
import Metadata

/// The asset document, as clients see it.
enum AssetJSON {
    static let schema = Schema.object([
        .init("asset_id", .string), .init("customer_id", .string, required: false), .init("user_id", .string),
        .init("type", .string(choices: AssetType.allCases.map(\.name))), .init("name", .string),
        .init("original_filename", .string), .init("mime_type", .string), .init("size", .integer),
        .init("duration", .number, required: false),
        .init(
            "dimensions", .object([.init("width", .integer), .init("height", .integer)]), required: false),
        .init("storage", .object([.init("bucket", .string), .init("key", .string), .init("url", .string)])),
        .init(
            "metadata",
            .object([
                .init("title", .string, required: false), .init("description", .string, required: false),
                .init("tags", .array(of: .string)), .init("folder", .string),
                .init("category", .string, required: false), .init("custom", .map(of: .object([]))),
            ])),
        .init("focal_point", .object([.init("x", .number), .init("y", .number)]), required: false),
        .init("media", .any(description: "What else a probe found: format, pages, tags, exif, dominant_colour ...")),
        .init(
            "variants",
            .array(
                of: .object([
                    .init("name", .string), .init("step", .string), .init("mime_type", .string),
                    .init("size", .integer),
                    .init(
                        "storage", .object([.init("bucket", .string), .init("key", .string), .init("url", .string)])),
                    .init("created_at", .string),
                ])), required: false),
        .init(
            "versions",
            .array(
                of: .object([
                    .init("version", .integer), .init("created_at", .string), .init("size", .integer),
                    .init("storage_key", .string),
                ])), required: false),
        .init("created_at", .string), .init("updated_at", .string), .init("deleted_at", .string, required: false),
    ])

    /// `publicURL` has no slash at its end. Versions, and what was made of the newest, are left out where they were not read.
    static func value(
        of document: AssetDocument, publicURL: String, variants: [StoredVariant]? = nil
    ) -> JSONValue {
        let asset = document.asset
        var members: [JSONValue.Member] = [
            .init("asset_id", text(asset.id.text)), .init("customer_id", asset.customer.map { .string($0) } ?? .null),
            .init("user_id", .string(asset.user)), .init("type", .string(asset.type.name)),
            .init("name", text(document.name)), .init("original_filename", text(document.originalFilename)),
            .init("mime_type", text(document.contentType)),
            .init("size", .integer(Int64(clamping: document.object.size))),
            .init("duration", asset.details.duration.map { .number(Double($0) / 1_000) } ?? .null),
            .init("dimensions", dimensions(asset.details)),
            .init("storage", storage(document.bucket, document.asset.key, publicURL)),
            .init("metadata", metadata(document)),
            .init("focal_point", document.focalPoint.map { ["x": .number($0.x), "y": .number($0.y)] } ?? .null),
            .init("media", asset.details.media.flatMap { JSONValue(parsing: $0) } ?? .object([])),
        ]
        if let variants {
            members.append(.init("variants", .array(variants.map { variant($0, publicURL) })))
        }
        if !document.versions.isEmpty { members.append(.init("versions", .array(document.versions.map(version)))) }
        members += [
            .init("created_at", date(asset.created)), .init("updated_at", date(asset.updated)),
            .init("deleted_at", asset.deleted.map(date) ?? .null),
        ]
        return .object(members)
    }

    private static func dimensions(_ details: AssetDetails) -> JSONValue {
        guard let width = details.width, let height = details.height else { return .null }
        return ["width": .integer(width), "height": .integer(height)]
    }

    private static func storage(_ bucket: BucketName, _ key: ObjectKey, _ publicURL: String) -> JSONValue {
        let path = String(ascii: PercentEncoding.encode(key.utf8, keepingSlash: true))
        return [
            "bucket": .string(bucket.description), "key": text(key.utf8),
            "url": .string("\(publicURL)/\(bucket)/\(path)"),
        ]
    }

    private static func variant(_ made: StoredVariant, _ publicURL: String) -> JSONValue {
        [
            "name": .string(made.name), "step": .string(made.step),
            "mime_type": text(made.version.attributes.contentType ?? []),
            "size": .integer(Int64(clamping: made.version.size)),
            "storage": storage(made.bucket.name, made.version.key, publicURL),
            "created_at": date(made.version.modified),
        ]
    }

    private static func metadata(_ document: AssetDocument) -> JSONValue {
        var custom = document.otherUserMetadata.map { JSONValue.Member(String(ascii: $0.name), text($0.value)) }
        if let own = document.asset.details.custom, case .object(let members) = JSONValue(parsing: own) {
            custom.removeAll { field in members.contains { $0.name == field.name } }
            custom += members
        }
        return [
            "title": document.title.map(text) ?? .null, "description": document.description.map(text) ?? .null,
            "tags": .array(document.tags.map(text)), "folder": text(document.folder),
            "category": document.category.map(text) ?? .null, "custom": .object(custom),
        ]
    }

    private static func version(_ version: AssetDocument.Version) -> JSONValue {
        [
            "version": .integer(Int64(version.number)), "created_at": date(version.created),
            "size": .integer(Int64(clamping: version.size)), "storage_key": text(version.id.utf8),
        ]
    }

    private static func text(_ bytes: [UInt8]) -> JSONValue { .string(String(ascii: bytes)) }

    private static func date(_ moment: Timestamp) -> JSONValue {
        .string(String(ascii: DateFormats.iso8601(moment)))
    }
}
