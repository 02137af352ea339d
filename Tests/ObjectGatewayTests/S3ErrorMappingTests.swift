import Buckets
import Bytes
import Files
import HTTPServer
import JSON
import Metadata
import SigV4
import Testing

@testable import ObjectGateway

/// Every error of the modules below has one answer, and none of their texts reaches it.
@Suite struct S3ErrorMappingTests {
    private static let secret = "the text for the log"

    private func check(
        _ error: any Error, _ code: S3ErrorCode, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let mapped = S3Error(mapping: error)
        #expect(mapped.code == code, "\(error)", sourceLocation: sourceLocation)
        let document = mapped.document(resource: bytes("/bucket/key"), requestID: bytes("ID"), hostID: bytes("host"))
        let text = String(decoding: document, as: UTF8.self)
        #expect(text.contains("<Code>\(code.rawValue)</Code>"), sourceLocation: sourceLocation)
        #expect(!text.contains(Self.secret), sourceLocation: sourceLocation)
    }

    @Test func `errors of the metadata store`() throws {
        let cases: [(MetadataError, S3ErrorCode)] = [
            (.noSuchBucket, .noSuchBucket), (.bucketExists(owner: Self.secret), .bucketAlreadyExists),
            (.bucketNotEmpty, .bucketNotEmpty), (.noSuchKey, .noSuchKey), (.noSuchVersion, .noSuchVersion),
            (.noSuchUpload, .noSuchUpload), (.invalidPart(number: 3), .invalidPart),
            (.invalidPart(number: -1), .invalidPart), (.partTooSmall(number: 1, size: 2, sizeMin: 3), .entityTooSmall),
            (.preconditionFailed, .preconditionFailed), (.userExists, .internalError),
            (.accessKeyExists, .internalError), (.noSuchUser, .internalError), (.noSuchJob, .internalError),
            (.leaseLost, .internalError), (.sourceGone, .internalError), (.superseded, .slowDown),
            (.limitExceeded(Self.secret), .tooManyBuckets), (.unavailable(Self.secret), .slowDown),
            (.overloaded(Self.secret), .slowDown), (.broken(Self.secret), .internalError),
            (.damaged(Self.secret), .internalError),
        ]
        for (error, code) in cases { try check(error, code) }
    }

    @Test func `errors of the blobs`() throws {
        let cases: [(BucketsError, S3ErrorCode)] = [
            (.tooLarge(sizeMax: 5), .entityTooLarge), (.diskFull, .insufficientStorage), (.gone(BlobID(4)), .noSuchKey),
            (.invalidRange, .invalidRange), (.damaged(Self.secret), .internalError),
            (.overloaded(Self.secret), .slowDown), (.unavailable(Self.secret), .slowDown),
            (.expired(BlobID(1)), .slowDown),
            (.system(SystemError("open", path: Self.secret)), .internalError),
        ]
        for (error, code) in cases { try check(error, code) }
    }

    @Test func `errors of bodies and of their chunks`() throws {
        let bodies: [(BodyError, S3ErrorCode)] = [
            (.disconnected, .incompleteBody), (.tooSlow, .requestTimeout), (.malformed, .incompleteBody),
            (.stopping, .slowDown),
        ]
        for (error, code) in bodies { try check(error, code) }
        let chunks: [(ChunkError, S3ErrorCode)] = [
            (.malformedChunk, .invalidRequest), (.malformedTrailer, .malformedTrailer),
            (.signatureMismatch, .signatureDoesNotMatch), (.wrongLength, .incompleteBody),
            (.notChunked, .internalError),
        ]
        for (error, code) in chunks { try check(error, code) }
    }

    @Test func `errors of signatures`() throws {
        let time = Timestamp(seconds: 1_369_353_600)
        let mismatch = SignatureError.missingDate
        let cases: [(SignatureError, S3ErrorCode)] = [
            (.malformed(.header, "x"), .authorizationHeaderMalformed),
            (.malformed(.query, "x"), .authorizationQueryParametersError),
            (.malformed(.post, "x"), .authorizationHeaderMalformed),
            (.wrongRegion(.header, presented: "a", expected: "b"), .authorizationHeaderMalformed),
            (.wrongRegion(.query, presented: "a", expected: "b"), .authorizationQueryParametersError),
            (.doubledCredentials, .invalidArgument), (.unsupportedAuthorizationType, .invalidArgument),
            (.signatureVersion2, .invalidRequest), (.malformedTarget, .invalidURI), (mismatch, .accessDenied),
            (
                .requestTimeTooSkewed(requestTime: time, serverTime: time, skewMax_ms: 900_000), .requestTimeTooSkewed
            ),
            (.notYetValid(validFrom: time, serverTime: time), .accessDenied),
            (.expired(at: time, expires_s: 60, serverTime: time), .accessDenied),
            (.headersNotSigned("host"), .accessDenied), (.missingPayloadHash, .invalidRequest),
            (.invalidPayloadHash, .invalidArgument), (.payloadNotImplemented, .notImplemented),
        ]
        for (error, code) in cases { try check(error, code) }
    }

    @Test func `an error of no known kind is InternalError`() throws {
        struct Unknown: Error, CustomStringConvertible { var description: String { S3ErrorMappingTests.secret } }
        try check(Unknown(), .internalError)
    }

    @Test func `S3-TRAPS 24: a skewed clock is told both times and the limit`() {
        let mapped = S3Error(
            mapping: SignatureError.requestTimeTooSkewed(
                requestTime: Timestamp(seconds: 0), serverTime: Timestamp(seconds: 1000), skewMax_ms: 900_000))
        let text = String(
            decoding: mapped.document(resource: [], requestID: [], hostID: []), as: UTF8.self)
        #expect(text.contains("<RequestTime>19700101T000000Z</RequestTime>"))
        #expect(text.contains("<ServerTime>1970-01-01T00:16:40.000Z</ServerTime>"))
        #expect(text.contains("<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"))
    }

    /// Such an initialiser once stood for `MetadataError.noSuchKey` and called itself without end.
    @Test func `a code without a label is that code`() {
        for code in S3ErrorCode.allCases {
            #expect(S3Error(code).code == code)
            #expect((300...599).contains(code.status))
            #expect(!code.message.isEmpty)
        }
        #expect(S3Error(.noSuchKey).message == S3ErrorCode.noSuchKey.message)
    }
}
