import HTTPServer
import Metadata
import Policies

/// API/PutObjectTagging.
struct PutObjectTagging: S3Operation {
    static let route = OperationRoute(
        name: "PutObjectTagging", method: .put, scope: .object, parameters: ["tagging"], action: .putObjectTagging,
        checksItself: true)

    struct Input: Sendable {
        var object: ObjectReference
        var tags: [Tag]
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        Input(object: try ObjectReference(request), tags: try TagSet.parse(try await request.readXML()))
    }

    func run(_ input: Input, as caller: Caller) async throws -> VersionID? {
        let bucket = try await services.metadata.bucket(named: input.object.bucket)
        try await services.access.check(
            caller, may: input.object.version == nil ? .putObjectTagging : .putObjectVersionTagging, in: bucket,
            input.object.key, version: input.object.version, tags: input.tags)
        return try await services.setTags(input.tags, of: input.object, noting: .taggingPut, by: caller)
    }

    static func encode(_ output: VersionID?) -> Response {
        var response = Response(status: 200, body: .bytes([]))
        if let output { response.headers.add("x-amz-version-id", output.utf8) }
        return response
    }
}
