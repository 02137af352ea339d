import Bytes
import HTTPServer
import Metadata
import Policies
import XML

/// API/CreateBucket.
struct CreateBucket: S3Operation {
    static let route = OperationRoute(name: "CreateBucket", method: .put, scope: .bucket, action: .createBucket)

    struct Input: Sendable {
        var name: BucketName
        var location: [UInt8]?
    }

    struct Output: Sendable {
        var name: BucketName
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let name = try request.bucketName()
        try UnservedHeaders.refuse(request.head)
        guard request.request.body.length != 0 else { return Input(name: name) }
        let body = try await request.readBody(sizeMax: 64 << 10)
        if body.isEmpty { return Input(name: name) }
        let document = try S3Document.parse(body)
        guard document.isNamed("CreateBucketConfiguration") else { throw S3Error(.malformedXML) }
        return Input(name: name, location: document.child("LocationConstraint")?.text)
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let region = services.configuration.region
        if let location = input.location, !location.isEmpty, !location.elementsEqual(region.utf8) {
            throw S3Error(.invalidLocationConstraint).adding("LocationConstraint", location)
        }
        do {
            _ = try await services.metadata.createBucket(named: input.name, owner: caller.name, at: .now())
        } catch .bucketExists(let owner) {
            // AWS answers a repeated creation by the owner in us-east-1 as if it had happened now.
            guard owner.utf8.elementsEqual(caller.name.utf8) else {
                throw S3Error(.bucketAlreadyExists).adding("BucketName", input.name.utf8)
            }
            guard region.utf8.elementsEqual("us-east-1".utf8) else {
                throw S3Error(.bucketAlreadyOwnedByYou).adding("BucketName", input.name.utf8)
            }
        }
        return Output(name: input.name)
    }

    static func encode(_ output: Output) -> Response {
        var response = Response(status: 200, body: .bytes([]))
        response.headers.add("location", [Ascii.slash] + output.name.utf8)
        return response
    }
}
