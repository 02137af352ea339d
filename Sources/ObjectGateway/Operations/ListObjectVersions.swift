import Bytes
import HTTPServer
import Metadata
import Policies

/// API/ListObjectVersions.
struct ListObjectVersions: S3Operation {
    static let route = OperationRoute(
        name: "ListObjectVersions", method: .get, scope: .bucket, parameters: ["versions"], action: .listBucketVersions)

    struct Input: Sendable {
        var bucket: BucketName
        var parameters: ListingParameters
        var keyMarker: [UInt8]?
        var versionMarker: VersionID?
    }

    struct Output: Sendable {
        var input: Input
        var page: ListVersionsPage
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let query = request.query
        let keyMarker = query["key-marker"].flatMap { $0.isEmpty ? nil : $0 }
        var versionMarker: VersionID?
        if let text = query["version-id-marker"], !text.isEmpty {
            guard keyMarker != nil else {
                throw S3Error.invalidArgument(
                    "version-id-marker", text, "A version-id marker cannot be specified without a key marker.")
            }
            guard let id = VersionID(text) else {
                throw S3Error.invalidArgument("version-id-marker", text, "Invalid version id specified")
            }
            versionMarker = id
        }
        return Input(
            bucket: try request.bucketName(), parameters: try ListingParameters(request, limitName: "max-keys"),
            keyMarker: keyMarker, versionMarker: versionMarker)
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        let page = try await services.metadata.listVersions(
            ListVersionsQuery(
                bucket: bucket.id, prefix: input.parameters.prefix, delimiter: input.parameters.delimiter,
                keyMarker: input.keyMarker, versionMarker: input.versionMarker, limit: input.parameters.limit))
        return Output(input: input, page: page)
    }

    static func encode(_ output: Output) -> Response {
        let input = output.input
        let parameters = input.parameters
        var xml = S3Document("ListVersionsResult")
        xml.element("Name", input.bucket.utf8)
        xml.element("Prefix", parameters.written(parameters.prefix))
        xml.element("KeyMarker", parameters.written(input.keyMarker ?? []))
        xml.element("VersionIdMarker", input.versionMarker?.utf8 ?? [])
        if let next = output.page.nextKeyMarker { xml.element("NextKeyMarker", parameters.written(next)) }
        if let next = output.page.nextVersionMarker { xml.element("NextVersionIdMarker", next.utf8) }
        xml.element("MaxKeys", parameters.limit)
        if let delimiter = parameters.delimiter { xml.element("Delimiter", parameters.written(delimiter)) }
        if parameters.encodesKeys { xml.element("EncodingType", "url" as StaticString) }
        xml.element("IsTruncated", output.page.isTruncated)
        for version in output.page.versions {
            let name: StaticString = version.isDeleteMarker ? "DeleteMarker" : "Version"
            xml.open(name)
            xml.element("Key", parameters.written(version.key.utf8))
            xml.element("VersionId", version.versionID.utf8)
            xml.element("IsLatest", version.isLatest)
            if version.isDeleteMarker {
                xml.element("LastModified", DateFormats.iso8601(version.modified))
            } else {
                xml.described(version)
            }
            xml.owner("Owner", version.owner)
            xml.close(name)
        }
        xml.commonPrefixes(output.page.commonPrefixes, parameters)
        return xml.response()
    }
}
