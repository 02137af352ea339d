import Buckets
import HTTPServer
import Metadata

/// API/GetObject.
struct GetObject: S3Operation {
    static let route = OperationRoute(name: "GetObject", method: .get, scope: .object, action: .getObject)

    struct Output: Sendable {
        var selection: ObjectSelection
        var slices: [BlobSlice]
    }

    /// How often a version is looked up again when its bytes vanished between the look-up and the opening.
    private static let attemptsMax = 3

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> ObjectReadInput { try ObjectReadInput(request) }

    func run(_ input: ObjectReadInput, as caller: Caller) async throws -> Output {
        if input.version != nil { try Access.check(caller, may: .getObjectVersion) }
        for _ in 1..<Self.attemptsMax {
            let selection = try await services.select(input)
            if let slices = try await open(selection) { return Output(selection: selection, slices: slices) }
        }
        let selection = try await services.select(input)
        guard let slices = try await open(selection) else {
            throw S3Error(.internalError, cause: "the bytes of a version vanish as often as it is looked up")
        }
        return Output(selection: selection, slices: slices)
    }

    /// Nil when the bytes are gone, because the version was replaced or deleted since it was found.
    private func open(_ selection: ObjectSelection) async throws -> [BlobSlice]? {
        if selection.notModified { return [] }
        do {
            return try await services.objects.open(selection.version, range: selection.range)
        } catch {
            if case .gone = error { return nil }
            throw error
        }
    }

    static func encode(_ output: Output) -> Response {
        var response = output.selection.response()
        if !output.selection.notModified {
            response.body = .files(
                output.slices.map { FileSlice(file: $0.file, offset: $0.offset, length: $0.length) })
        }
        return response
    }
}
