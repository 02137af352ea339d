import Bytes
import Metadata
import XML

/// Tags: at most 10 of an object and 50 of a bucket, distinct keys of 1...128 characters, values of 0...256 (userguide/object-tagging,
/// API/PutBucketTagging).
enum TagSet {
    enum Owner: Sendable {
        case object, bucket

        var countMax: Int { self == .object ? 10 : 50 }
    }

    private static let keyCharactersMax = 128
    private static let valueCharactersMax = 256

    /// Reads the query form of `x-amz-tagging`: `a=1&b=2`.
    /// Throws InvalidArgument for a form that cannot be read and for a doubled key, InvalidTag for the rest.
    static func parse(query text: ArraySlice<UInt8>) throws(S3Error) -> [Tag] {
        guard let parameters = try? QueryParameters(text),
            Set(parameters.all.map(\.name)).count == parameters.all.count
        else {
            throw .invalidArgument(
                "x-amz-tagging", text,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
            )
        }
        // The order of a query means nothing; that of a document is kept.
        let tags = parameters.all.map { Tag(key: $0.name, value: $0.value) }
        return try checked(tags.sorted { $0.key.lexicographicallyPrecedes($1.key) }, of: .object)
    }

    /// Reads a `Tagging` document.
    static func parse(_ root: XMLElement, of owner: Owner = .object) throws(S3Error) -> [Tag] {
        guard root.isNamed("Tagging"), let set = root.child("TagSet") else { throw S3Error(.malformedXML) }
        var tags: [Tag] = []
        for element in set.children {
            guard element.isNamed("Tag"), let key = element.child("Key"), let value = element.child("Value") else {
                throw S3Error(.malformedXML)
            }
            tags.append(Tag(key: key.text, value: value.text))
        }
        return try checked(tags, of: owner)
    }

    static func document(_ tags: [Tag]) -> S3Document {
        var xml = S3Document("Tagging")
        xml.open("TagSet")
        for tag in tags {
            xml.open("Tag")
            xml.element("Key", tag.key)
            xml.element("Value", tag.value)
            xml.close("Tag")
        }
        xml.close("TagSet")
        return xml
    }

    private static func checked(_ tags: [Tag], of owner: Owner) throws(S3Error) -> [Tag] {
        guard tags.count <= owner.countMax else {
            throw S3Error(
                .invalidTag, "\(owner == .object ? "Object" : "Bucket") tags cannot be greater than \(owner.countMax)")
        }
        var seen = Set<[UInt8]>()
        for tag in tags {
            guard let key = String(validating: tag.key, as: UTF8.self),
                (1...keyCharactersMax).contains(key.unicodeScalars.count)
            else { throw S3Error(.invalidTag, "The TagKey you have provided is invalid").adding("TagKey", tag.key) }
            guard let value = String(validating: tag.value, as: UTF8.self),
                value.unicodeScalars.count <= valueCharactersMax
            else { throw S3Error(.invalidTag, "The TagValue you have provided is invalid").adding("TagKey", tag.key) }
            guard seen.insert(tag.key).inserted else {
                throw S3Error(.invalidTag, "Cannot provide multiple Tags with the same key").adding("TagKey", tag.key)
            }
        }
        return tags
    }
}
