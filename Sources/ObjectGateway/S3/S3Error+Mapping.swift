import Buckets
import Bytes
import HTTPServer
import Metadata
import SigV4

extension S3Error {
    /// What a client is told of an error of the modules below. Their texts become `cause`, which only the log sees.
    ///
    /// All conversions carry the label: without it `S3Error(.noSuchKey)` could also mean `MetadataError.noSuchKey`.
    init(mapping error: any Error) {
        switch error {
        case let error as S3Error: self = error
        case let error as MetadataError: self.init(mapping: error)
        case let error as BucketsError: self.init(mapping: error)
        case let error as BodyError: self.init(mapping: error)
        case let error as SignatureError: self.init(mapping: error)
        case let error as ChunkError: self.init(mapping: error)
        default: self.init(.internalError, cause: "\(error)")
        }
    }

    init(mapping error: MetadataError) {
        switch error {
        case .noSuchBucket: self.init(.noSuchBucket)
        case .bucketExists: self.init(.bucketAlreadyExists)
        case .bucketNotEmpty: self.init(.bucketNotEmpty)
        case .noSuchKey: self.init(.noSuchKey)
        case .noSuchVersion: self.init(.noSuchVersion)
        case .noSuchUpload: self.init(.noSuchUpload)
        case .invalidPart(let number):
            self = S3Error(.invalidPart).adding("PartNumber", Ascii.decimal(of: UInt64(max(0, number))))
        case .partTooSmall(let number, let size, let sizeMin):
            self = S3Error(.entityTooSmall)
                .adding("PartNumber", Ascii.decimal(of: UInt64(max(0, number))))
                .adding("ProposedSize", Ascii.decimal(of: size))
                .adding("MinSizeAllowed", Ascii.decimal(of: sizeMin))
        case .preconditionFailed: self.init(.preconditionFailed)
        case .limitExceeded(let what): self.init(.tooManyBuckets, cause: what)
        case .overloaded(let cause), .unavailable(let cause): self.init(.slowDown, cause: cause)
        case .diskFull: self.init(.insufficientStorage)
        // A request tries again itself before it comes to this.
        case .superseded: self.init(.slowDown, cause: "\(error)")
        case .userExists, .accessKeyExists, .noSuchUser, .noSuchJob, .leaseLost, .sourceGone:
            self.init(.internalError, cause: "\(error)")
        case .broken(let cause), .damaged(let cause): self.init(.internalError, cause: cause)
        }
    }

    init(mapping error: BucketsError) {
        switch error {
        case .tooLarge(let sizeMax):
            self = S3Error(.entityTooLarge).adding("MaxSizeAllowed", Ascii.decimal(of: sizeMax))
        case .diskFull: self.init(.insufficientStorage)
        // The version was deleted while it was being opened, as if the read had come later.
        case .gone: self.init(.noSuchKey, cause: error.description)
        case .invalidRange: self.init(.invalidRange)
        case .overloaded(let cause), .unavailable(let cause): self.init(.slowDown, cause: cause)
        // The client's own retry stages it anew.
        case .expired: self.init(.slowDown, cause: error.description)
        case .damaged, .system: self.init(.internalError, cause: error.description)
        }
    }

    init(mapping error: BodyError) {
        switch error {
        case .disconnected: self.init(.incompleteBody)
        case .tooSlow: self.init(.requestTimeout)
        case .malformed: self.init(.incompleteBody, "The chunked framing of the body is broken.")
        case .stopping: self.init(.slowDown)
        }
    }

    init(mapping error: ChunkError) {
        switch error {
        case .malformedChunk: self.init(.invalidRequest, "The aws-chunked framing of the body is broken.")
        case .malformedTrailer: self.init(.malformedTrailer)
        case .signatureMismatch: self.init(.signatureDoesNotMatch)
        case .wrongLength: self.init(.incompleteBody)
        case .notChunked: self.init(.internalError, cause: "a body that is not aws-chunked was taken for one")
        }
    }

    init(mapping error: SignatureError) {
        switch error {
        case .malformed(let form, let text):
            self.init(Self.malformedCode(form), text)
        case .wrongRegion(let form, let presented, let expected):
            self = S3Error(
                Self.malformedCode(form),
                "The authorization header is malformed; the region '\(presented)' is wrong; expecting '\(expected)'"
            ).adding("Region", expected.utf8)
        case .doubledCredentials:
            self.init(.invalidArgument, "Only one auth mechanism allowed; a field that it rests on may come only once.")
        case .unsupportedAuthorizationType: self.init(.invalidArgument, "Unsupported Authorization Type")
        case .signatureVersion2:
            self.init(
                .invalidRequest,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
        case .malformedTarget: self.init(.invalidURI)
        case .missingDate:
            self.init(.accessDenied, "AWS authentication requires a valid Date or x-amz-date header")
        case .requestTimeTooSkewed(let requestTime, let serverTime, let skewMax_ms):
            self = S3Error(.requestTimeTooSkewed)
                .adding("RequestTime", DateFormats.amz(requestTime))
                .adding("ServerTime", DateFormats.iso8601(serverTime))
                .adding("MaxAllowedSkewMilliseconds", Ascii.decimal(of: UInt64(max(0, skewMax_ms))))
        case .notYetValid(let validFrom, let serverTime):
            self = S3Error(.accessDenied, "Request is not yet valid")
                .adding("ValidFrom", DateFormats.iso8601(validFrom))
                .adding("ServerTime", DateFormats.iso8601(serverTime))
        case .expired(let end, let expires_s, let serverTime):
            self = S3Error(.accessDenied, "Request has expired")
                .adding("X-Amz-Expires", Ascii.decimal(of: UInt64(max(0, expires_s))))
                .adding("Expires", DateFormats.iso8601(end))
                .adding("ServerTime", DateFormats.iso8601(serverTime))
        case .headersNotSigned(let names):
            self = S3Error(.accessDenied, "There were headers present in the request which were not signed")
                .adding("HeadersNotSigned", names.utf8)
        case .missingPayloadHash:
            self.init(.invalidRequest, "Missing required header for this request: x-amz-content-sha256")
        case .invalidPayloadHash:
            self.init(
                .invalidArgument,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value."
            )
        case .payloadNotImplemented: self.init(.notImplemented)
        case .mismatch(let mismatch):
            self = S3Error(.signatureDoesNotMatch)
                .adding("AWSAccessKeyId", mismatch.accessKey)
                .adding("StringToSign", mismatch.stringToSign)
                .adding("SignatureProvided", mismatch.signatureProvided)
                .adding("CanonicalRequest", mismatch.canonicalRequest)
        }
    }

    private static func malformedCode(_ form: SignatureError.Form) -> S3ErrorCode {
        switch form {
        case .header, .post: .authorizationHeaderMalformed
        case .query: .authorizationQueryParametersError
        }
    }
}
