import Bytes
import Digests
import HTTPServer
import Metadata
import Policies

/// API/GetObjectAttributes. The ETag is unquoted here (S3-TRAPS 9).
struct GetObjectAttributes: S3Operation {
    static let route = OperationRoute(
        name: "GetObjectAttributes", method: .get, scope: .object, parameters: ["attributes"],
        action: .getObjectAttributes)

    enum Attribute: String, Sendable, CaseIterable {
        case etag = "ETag"
        case checksum = "Checksum"
        case parts = "ObjectParts"
        case storageClass = "StorageClass"
        case size = "ObjectSize"
    }

    struct Input: Sendable {
        var read: ObjectReadInput
        var attributes: [Attribute]
        var partsMax: Int
        var partMarker: Int
    }

    struct Output: Sendable {
        var input: Input
        var selection: ObjectSelection
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let names = request.head.all("x-amz-object-attributes").flatMap { $0.split(separator: Ascii.comma) }
            .map { Ascii.trimmed($0) }.filter { !$0.isEmpty }
        guard !names.isEmpty else {
            throw S3Error(
                .invalidRequest,
                "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
            )
        }
        let attributes = try names.map { name throws(S3Error) -> Attribute in
            guard let attribute = Attribute.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name) }) else {
                throw .invalidArgument("x-amz-object-attributes", name, "Invalid attribute name specified.")
            }
            return attribute
        }
        return Input(
            read: try ObjectReadInput(request), attributes: attributes,
            partsMax: try headerNumber(request.head, "x-amz-max-parts") ?? 1000,
            partMarker: try headerNumber(request.head, "x-amz-part-number-marker") ?? 0)
    }

    private static func headerNumber(_ head: RequestHead, _ name: StaticString) throws(S3Error) -> Int? {
        guard let text = head.first(name) else { return nil }
        guard let value = Ascii.decimal(text), value <= 1_000_000 else {
            throw .invalidArgument(name.description, text, "Invalid value specified.")
        }
        return Int(value)
    }

    func run(_ input: Input, as caller: Caller) async throws -> Output {
        var read = input.read
        read.range = nil
        read.partNumber = nil
        return Output(input: input, selection: try await services.select(read, as: caller))
    }

    static func encode(_ output: Output) -> Response {
        let version = output.selection.version
        var xml = S3Document("GetObjectAttributesResponse")
        let wanted = output.input.attributes
        if wanted.contains(.etag) { xml.element("ETag", version.etag.unquoted) }
        if wanted.contains(.checksum), let checksum = version.checksum {
            xml.open("Checksum")
            xml.element(checksum.algorithm.elementName, checksum.text)
            xml.element("ChecksumType", checksum.kind.s3Name)
            xml.close("Checksum")
        }
        if wanted.contains(.parts), case .parts(let parts) = version.content {
            encode(parts, of: version, output.input, into: &xml)
        }
        if wanted.contains(.storageClass) {
            xml.element("StorageClass", version.attributes.storageClass ?? [UInt8]("STANDARD".utf8))
        }
        if wanted.contains(.size) { xml.element("ObjectSize", version.size) }
        var response = xml.response()
        response.headers.add("last-modified", DateFormats.http(version.modified))
        if output.selection.bucketIsVersioned { response.headers.add("x-amz-version-id", version.versionID.utf8) }
        return response
    }

    private static func encode(
        _ parts: [StoredPart], of version: ObjectVersion, _ input: Input, into xml: inout S3Document
    ) {
        let rest = parts.drop { $0.number <= input.partMarker }
        let page = rest.prefix(min(input.partsMax, 1000))
        xml.open("ObjectParts")
        xml.element("PartsCount", parts.count)
        xml.element("PartNumberMarker", input.partMarker)
        xml.element("NextPartNumberMarker", page.last?.number ?? 0)
        xml.element("MaxParts", input.partsMax)
        xml.element("IsTruncated", page.count < rest.count)
        for part in page {
            xml.open("Part")
            xml.element("PartNumber", part.number)
            xml.element("Size", part.size)
            if let algorithm = version.checksum?.algorithm, let checksum = part.checksum {
                xml.element(algorithm.elementName, Base64.encode(checksum))
            }
            xml.close("Part")
        }
        xml.close("ObjectParts")
    }
}
