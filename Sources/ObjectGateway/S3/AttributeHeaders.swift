import Bytes
import HTTPServer
import Metadata

extension ObjectAttributes {
    /// Longest sum of names and values of user metadata, in bytes (userguide/UsingMetadata).
    static let userMetadataBytesMax = 2048

    /// What a PUT, POST or copy says of its object. Throws MetadataTooLarge or InvalidStorageClass.
    init(_ head: RequestHead) throws(S3Error) {
        self.init()
        contentType = Self.value(head.first("content-type"))
        cacheControl = Self.value(head.first("cache-control"))
        contentDisposition = Self.value(head.first("content-disposition"))
        contentLanguage = Self.value(head.first("content-language"))
        expires = Self.value(head.first("expires"))
        websiteRedirect = Self.value(head.first("x-amz-website-redirect-location"))
        contentEncoding = Self.contentEncoding(head.all("content-encoding"))
        if let storageClass = Self.value(head.first("x-amz-storage-class")) {
            guard Self.storageClasses.contains(where: { $0.matches(storageClass) }) else {
                throw S3Error(.invalidStorageClass)
            }
            self.storageClass = "STANDARD".utf8.elementsEqual(storageClass) ? nil : storageClass
        }
        try readUserMetadata(head)
    }

    /// Classes that a client may name; all are kept the same way.
    static let storageClasses: [StaticString] = [
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
        "GLACIER_IR", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW",
    ]

    private mutating func readUserMetadata(_ head: RequestHead) throws(S3Error) {
        let prefix = "x-amz-meta-".utf8
        var size = 0
        for index in 0..<head.fieldCount {
            let field = head.field(at: index)
            guard field.name.count > prefix.count,
                Ascii.equalIgnoringCase(field.name.prefix(prefix.count), Array(prefix))
            else { continue }
            let name = Ascii.lowered(field.name.dropFirst(prefix.count))
            size += name.count + field.value.count
            guard size <= Self.userMetadataBytesMax else {
                throw S3Error(.metadataTooLarge)
                    .adding("MaxSizeAllowed", Ascii.decimal(of: UInt64(Self.userMetadataBytesMax)))
            }
            if let known = userMetadata.firstIndex(where: { $0.name == name }) {
                userMetadata[known].value += [Ascii.comma] + field.value
            } else {
                userMetadata.append(UserMetadata(name: name, value: [UInt8](field.value)))
            }
        }
    }

    /// Without `aws-chunked`, which is framing of this request and not of the object (S3-TRAPS 5).
    private static func contentEncoding(_ values: [ArraySlice<UInt8>]) -> [UInt8]? {
        let codings = values.flatMap { $0.split(separator: Ascii.comma) }.map { Ascii.trimmed($0) }
            .filter { !$0.isEmpty && !Ascii.equalIgnoringCase($0, Array("aws-chunked".utf8)) }
        return codings.isEmpty ? nil : Array(codings.joined(separator: [Ascii.comma, Ascii.space]))
    }

    private static func value(_ slice: ArraySlice<UInt8>?) -> [UInt8]? {
        slice.flatMap { $0.isEmpty ? nil : [UInt8]($0) }
    }
}

/// The `response-*` parameters of a signed GET, which replace fields of the answer (API/GetObject).
struct ResponseOverrides: Sendable {
    var contentType: [UInt8]?
    var contentLanguage: [UInt8]?
    var expires: [UInt8]?
    var cacheControl: [UInt8]?
    var contentDisposition: [UInt8]?
    var contentEncoding: [UInt8]?

    init(_ query: QueryParameters) {
        guard !query.all.isEmpty else { return }
        contentType = query["response-content-type"]
        contentLanguage = query["response-content-language"]
        expires = query["response-expires"]
        cacheControl = query["response-cache-control"]
        contentDisposition = query["response-content-disposition"]
        contentEncoding = query["response-content-encoding"]
    }
}

extension HeaderBlock {
    /// The fields that describe a stored object, as GET and HEAD answer them.
    mutating func add(describing version: ObjectVersion, overrides: ResponseOverrides, bucketIsVersioned: Bool) {
        let a = version.attributes
        add("content-type", overrides.contentType ?? a.contentType ?? Self.defaultContentType)
        add("last-modified", DateFormats.http(version.modified))
        add("etag", version.etag.quoted)
        add("accept-ranges", text: "bytes")
        addIfPresent("cache-control", overrides.cacheControl ?? a.cacheControl)
        addIfPresent("content-disposition", overrides.contentDisposition ?? a.contentDisposition)
        addIfPresent("content-encoding", overrides.contentEncoding ?? a.contentEncoding)
        addIfPresent("content-language", overrides.contentLanguage ?? a.contentLanguage)
        addIfPresent("expires", overrides.expires ?? a.expires)
        addIfPresent("x-amz-website-redirect-location", a.websiteRedirect)
        addIfPresent("x-amz-storage-class", a.storageClass)
        if bucketIsVersioned { add("x-amz-version-id", version.versionID.utf8) }
        if !version.tags.isEmpty { add("x-amz-tagging-count", UInt64(version.tags.count)) }
        for item in a.userMetadata { add(name: Self.metadataPrefix + item.name, item.value) }
    }

    mutating func addIfPresent(_ name: StaticString, _ value: [UInt8]?) {
        if let value { add(name, value) }
    }

    private static let metadataPrefix = [UInt8]("x-amz-meta-".utf8)
    private static let defaultContentType = [UInt8]("binary/octet-stream".utf8)
}

extension ETag {
    /// As HTTP writes it, in quotes.
    var quoted: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(48)
        text.append(Ascii.quote)
        text += unquoted
        text.append(Ascii.quote)
        return text
    }
}
