import Buckets
import HTTPServer
import Metadata
import Policies

/// API/HeadObject.
struct HeadObject: S3Operation {
    static let route = OperationRoute(name: "HeadObject", method: .head, scope: .object, action: .getObject)

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> ObjectReadInput { try ObjectReadInput(request) }

    func run(_ input: ObjectReadInput, as caller: Caller) async throws -> ObjectSelection {
        let selection = try await services.select(input, as: caller)
        // A size that is not the content's would be believed.
        try services.objects.check(selection.version)
        return selection
    }

    static func encode(_ output: ObjectSelection) -> Response {
        var response = output.response()
        if !output.notModified {
            let length = output.range.map { $0.upperBound - $0.lowerBound } ?? output.version.size
            response.body = .headOnly(length: output.isEmptyPart ? 0 : length)
        }
        return response
    }
}
