import HTTPServer
import Metadata

/// API/PutObjectTagging.
struct PutObjectTagging: S3Operation {
    static let route = OperationRoute(
        name: "PutObjectTagging", method: .put, scope: .object, parameters: ["tagging"], action: .putObjectTagging)

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
        try await services.setTags(input.tags, of: input.object, noting: .taggingPut, by: caller)
    }

    static func encode(_ output: VersionID?) -> Response {
        var response = Response(status: 200, body: .bytes([]))
        if let output { response.headers.add("x-amz-version-id", output.utf8) }
        return response
    }
}
