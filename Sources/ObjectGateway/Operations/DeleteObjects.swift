import Buckets
import Bytes
import HTTPServer
import Metadata
import Policies
import XML

/// API/DeleteObjects: up to 1000 keys in one request, each with its own outcome.
struct DeleteObjects: S3Operation {
    static let route = OperationRoute(
        name: "DeleteObjects", method: .post, scope: .bucket, parameters: ["delete"], action: .deleteObject,
        checksItself: true)

    static let keyCountMax = 1000

    struct Input: Sendable {
        struct Item: Sendable {
            var key: ObjectKey
            var versionText: [UInt8]?
            var conditions: WriteConditions
        }

        var bucket: BucketName
        var items: [Item]
        var isQuiet: Bool
    }

    struct Output: Sendable {
        struct Item: Sendable {
            var key: ObjectKey
            var versionText: [UInt8]?
            var outcome: Result<DeleteResult, S3Error>
        }

        var items: [Item]
        var isQuiet: Bool
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let bucket = try request.bucketName()
        try request.requireBodyDigest()
        let document = try await request.readXML(sizeMax: 4 << 20)
        guard document.isNamed("Delete") else { throw S3Error(.malformedXML) }
        var items: [Input.Item] = []
        for element in document.children where element.isNamed("Object") {
            guard let name = element.child("Key")?.text, let key = ObjectKey(name), items.count < keyCountMax else {
                throw S3Error(.malformedXML)
            }
            items.append(
                Input.Item(key: key, versionText: element.child("VersionId")?.text, conditions: try conditions(element))
            )
        }
        guard !items.isEmpty else { throw S3Error(.malformedXML) }
        let isQuiet = document.child("Quiet")?.text.elementsEqual("true".utf8) ?? false
        return Input(bucket: bucket, items: items, isQuiet: isQuiet)
    }

    private static func conditions(_ element: XMLElement) throws(S3Error) -> WriteConditions {
        var conditions = WriteConditions()
        if let etag = element.child("ETag")?.text { conditions.ifMatch = ReadConditions.match(etag[...]) }
        if let size = element.child("Size")?.text {
            guard let bytes = Ascii.decimal(size) else { throw S3Error(.malformedXML) }
            conditions.ifSize = bytes
        }
        if let date = element.child("LastModifiedTime")?.text {
            guard let moment = DateFormats.parseHTTP(date) ?? DateFormats.parseISO8601(date) else {
                throw S3Error(.malformedXML)
            }
            conditions.ifModifiedAt = moment
        }
        return conditions
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        let bucket = try await services.bucket(input.bucket)
        var decided: [Result<DeleteRequest, S3Error>] = []
        for item in input.items { decided.append(try await request(for: item, in: bucket, as: caller)) }
        // All at once, so that they share commits. AWS promises no order among them either.
        var results = await services.delete(decided.compactMap { try? $0.get() }, in: bucket, by: caller)
            .makeIterator()
        let items = zip(input.items, decided).map { item, request in
            let outcome: Result<DeleteResult, S3Error> =
                switch request {
                case .failure(let refusal): .failure(refusal)
                case .success: results.next()?.mapError { S3Error(mapping: $0) } ?? .failure(S3Error(.internalError))
                }
            return Output.Item(key: item.key, versionText: item.versionText, outcome: outcome)
        }
        return Output(items: items, isQuiet: input.isQuiet)
    }

    private func request(
        for item: Input.Item, in bucket: Bucket, as caller: Caller
    ) async throws -> Result<DeleteRequest, S3Error> {
        do {
            var version: VersionID?
            if let text = item.versionText, !text.isEmpty {
                guard let id = VersionID(text) else { throw S3Error(.noSuchVersion) }
                version = id
            }
            try await services.access.check(
                caller, may: version == nil ? .deleteObject : .deleteObjectVersion, in: bucket, item.key,
                version: version)
            return .success(
                DeleteRequest(
                    bucket: bucket.id, key: item.key, version: version, owner: caller.owner(in: bucket),
                    conditions: item.conditions))
        } catch let error as S3Error {
            return .failure(error)
        }
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("DeleteResult")
        for item in output.items {
            switch item.outcome {
            case .success(let result):
                if output.isQuiet { continue }
                xml.open("Deleted")
                xml.element("Key", item.key.utf8)
                if let version = item.versionText { xml.element("VersionId", version) }
                if result.isDeleteMarker {
                    xml.element("DeleteMarker", "true")
                    if let marker = result.versionID { xml.element("DeleteMarkerVersionId", marker.utf8) }
                }
                xml.close("Deleted")
            case .failure(let error):
                xml.open("Error")
                xml.element("Key", item.key.utf8)
                if let version = item.versionText { xml.element("VersionId", version) }
                xml.element("Code", error.code.rawValue)
                xml.element("Message", error.message)
                xml.close("Error")
            }
        }
        return xml.response()
    }
}
