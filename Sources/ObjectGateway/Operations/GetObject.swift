import Buckets
import HTTPServer
import Metadata
import Policies

/// API/GetObject.
struct GetObject: S3Operation {
    static let route = OperationRoute(name: "GetObject", method: .get, scope: .object, action: .getObject)

    struct Output: Sendable {
        var selection: ObjectSelection
        var bytes: OpenedBytes
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> ObjectReadInput { try ObjectReadInput(request) }

    func run(_ input: ObjectReadInput, as caller: Caller) async throws -> Output {
        return try await services.lookingUpAgain {
            let selection = try await services.select(input, as: caller)
            if selection.notModified || selection.isEmptyPart { return Output(selection: selection, bytes: .none) }
            let bytes = try await services.objects.open(
                selection.version, in: selection.bucket.id, range: selection.range)
            return Output(selection: selection, bytes: bytes)
        }
    }

    static func encode(_ output: Output) -> Response {
        var response = output.selection.response()
        if output.selection.notModified { return response }
        response.body = Response.Body(output.bytes)
        return response
    }
}

extension Response.Body {
    init(_ bytes: OpenedBytes) {
        switch bytes {
        case .none: self = .bytes([])
        case .memory(let bytes): self = .bytes(bytes)
        case .one(let slice): self = .files([FileSlice(slice)])
        case .several(let sequence):
            self = .fileSequence(length: sequence.length) { try await sequence.next().map(FileSlice.init) }
        case .stream(let stream):
            // An error on the way ends the connection: a body of its full length is whole.
            self = .stream(length: stream.length) { writer in
                while let bytes = try await stream.next() { try await writer.write(bytes) }
            }
        }
    }
}

extension FileSlice {
    fileprivate init(_ slice: BlobSlice) {
        self.init(file: slice.file, offset: slice.offset, length: slice.length)
    }
}
