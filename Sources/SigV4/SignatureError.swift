public import Bytes

/// Why a request is not authenticated. In brackets: the code and status with which AWS answers.
public enum SignatureError: Error, Sendable, Equatable {
    /// Where the credentials stood; AWS names the two with different codes.
    public enum Form: Sendable, Equatable {
        case header, query, post
    }

    /// [AuthorizationHeaderMalformed, AuthorizationQueryParametersError; 400] The text says what is wrong.
    case malformed(Form, String)
    /// [as `malformed`, with the expected region beside it; 400]
    case wrongRegion(Form, presented: String, expected: String)
    /// [InvalidArgument, 400] Credentials in the header and in the query at once, or a doubled field.
    case doubledCredentials
    /// [InvalidArgument, 400] An Authorization scheme other than Amazon's.
    case unsupportedAuthorizationType
    /// [InvalidRequest, 400] Signature version 2: "Please use AWS4-HMAC-SHA256."
    case signatureVersion2
    /// [InvalidURI, 400] A `%` in the path or the query without two hexadecimal digits.
    case malformedTarget
    /// [AccessDenied, 403] Neither a valid x-amz-date nor a valid Date.
    case missingDate
    /// [RequestTimeTooSkewed, 403]
    case requestTimeTooSkewed(requestTime: Timestamp, serverTime: Timestamp, skewMax_ms: Int64)
    /// [AccessDenied, 403: "Request is not yet valid"]
    case notYetValid(validFrom: Timestamp, serverTime: Timestamp)
    /// [AccessDenied, 403: "Request has expired"]
    case expired(at: Timestamp, expires_s: Int64, serverTime: Timestamp)
    /// [AccessDenied, 403: "There were headers present in the request which were not signed"] Names separated by `, `.
    case headersNotSigned(String)
    /// [InvalidRequest, 400: "Missing required header for this request: x-amz-content-sha256"]
    case missingPayloadHash
    /// [InvalidArgument, 400]
    case invalidPayloadHash
    /// [NotImplemented, 501] Payloads signed with elliptic curves (signature version 4A).
    case payloadNotImplemented
    /// [SignatureDoesNotMatch, 403]
    case mismatch(SignatureMismatch)
}

/// What AWS tells the client beside SignatureDoesNotMatch, so that it can find the difference. Nothing in it is secret.
public struct SignatureMismatch: Sendable, Equatable {
    public let accessKey: [UInt8]
    public let stringToSign: [UInt8]
    public let signatureProvided: [UInt8]
    /// Empty for a POST policy, which has none.
    public let canonicalRequest: [UInt8]
}
