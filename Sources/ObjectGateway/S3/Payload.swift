import Buckets
import Bytes
import Digests
import HTTPServer
import Metadata
import SigV4

/// The bytes of one request after its framing: what is read, which digests are wanted on the way, and what they must be.
///
/// Every byte is hashed once, by whoever consumes `source`, with `digests`; `verify` then compares. Nothing may be made
/// visible before `verify` returned.
struct Payload: Sendable {
    let source: ByteSource
    /// The digests that the consumer must compute.
    let digests: DigestSet
    /// The length of the content in bytes, without chunk framing; nil when unknown until the end.
    let length: UInt64?

    private let contentMD5: [UInt8]?
    private let contentSHA256: [UInt8]?
    private let announced: AnnouncedChecksum?
    private let chunked: ChunkedPayload?

    /// Without `checksumHeadersAreOfBody` the `x-amz-checksum-` headers say something else than what the body's bytes are.
    /// Throws InvalidDigest, MissingContentLength, or InvalidRequest for contradicting headers.
    init(
        _ request: S3Request, defaultDigests: DigestSet, checksumHeadersAreOfBody: Bool = true
    ) throws(S3Error) {
        let head = request.head
        if head.method == .put, head.body == .none, head.first("content-length") == nil {
            throw S3Error(.missingContentLength)
        }
        announced =
            checksumHeadersAreOfBody
            ? try AnnouncedChecksum.read(head, request.query) : try AnnouncedChecksum.readTrailer(head)
        var wanted = defaultDigests
        if let announced { wanted.insert(DigestSet(announced.algorithm)) }
        if let text = head.first("content-md5") {
            guard let value = Base64.decode(text), value.count == 16 else { throw S3Error(.invalidDigest) }
            contentMD5 = value
            wanted.insert(.md5)
        } else {
            contentMD5 = nil
        }
        let body = request.request.body
        let payload = request.authentication
        switch payload.mode {
        case .sha256(let value):
            contentSHA256 = value
            wanted.insert(.sha256)
            (length, source, chunked) = (body.length, ByteSource { try await body.read($0) }, nil)
        case .unsigned:
            contentSHA256 = nil
            (length, source, chunked) = (body.length, ByteSource { try await body.read($0) }, nil)
        case .streamingSigned, .streamingSignedTrailer, .streamingUnsignedTrailer:
            contentSHA256 = nil
            guard let text = head.first("x-amz-decoded-content-length"), let decoded = Ascii.decimal(text) else {
                throw S3Error(.missingContentLength)
            }
            let framed = try ChunkedPayload(body, payload, length: decoded, head: head)
            (length, source, chunked) = (decoded, framed.source, framed)
        }
        digests = wanted
    }

    /// Compares what was computed with what the client said. Returns the checksum to keep with the object.
    /// Throws BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, or InvalidRequest for a missing trailer.
    func verify(size: UInt64, _ values: DigestValues) throws(S3Error) -> Checksum? {
        if let length, length != size { throw S3Error(.incompleteBody) }
        if let contentSHA256, values[.sha256] != contentSHA256 {
            throw S3Error(.contentSHA256Mismatch)
                .adding("ClientComputedContentSHA256", Hex.encode(contentSHA256))
                .adding("S3ComputedContentSHA256", Hex.encode(values[.sha256] ?? []))
        }
        if let contentMD5, values[.md5] != contentMD5 {
            throw S3Error(.badDigest)
                .adding("ExpectedDigest", Base64.encode(contentMD5))
                .adding("CalculatedDigest", Base64.encode(values[.md5] ?? []))
        }
        guard let announced, let computed = values[announced.algorithm] else { return nil }
        var expected = announced.value
        if announced.comesAsTrailer {
            guard let text = chunked?.trailer(announced.algorithm.headerName),
                let value = Base64.decode(text), value.count == announced.algorithm.length
            else {
                throw S3Error(
                    .invalidRequest,
                    "Value for \(announced.algorithm.headerName.description) trailing header is invalid.")
            }
            expected = value
        }
        if let expected, expected != computed {
            throw S3Error(
                .badDigest,
                "The \(announced.algorithm.s3Name.description) you specified did not match the calculated checksum.")
        }
        return Checksum(algorithm: announced.algorithm, kind: .fullObject, value: computed)
    }

    /// The algorithm that the request announced.
    var checksumAlgorithm: DigestAlgorithm? { announced?.algorithm }

    /// EntityTooLarge where the announced length already is. In bytes.
    func checkLength(atMost sizeMax: UInt64) throws(S3Error) {
        guard let length, length > sizeMax else { return }
        throw S3Error(.entityTooLarge)
            .adding("ProposedSize", Ascii.decimal(of: length))
            .adding("MaxSizeAllowed", Ascii.decimal(of: sizeMax))
    }
}
