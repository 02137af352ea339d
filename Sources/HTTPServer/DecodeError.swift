/// Why a request was refused before a handler saw it. Each names the status that is answered; the connection then closes.
public enum DecodeError: Error, Sendable, Equatable, CaseIterable {
    case badRequestLine, badTarget, badFieldLine, badLineEnd, folded, badHost
    case badContentLength, lengthAndCoding, badTransferEncoding
    case targetTooLong, headTooLarge, tooManyFields
    case unknownCoding, unknownExpectation, unsupportedVersion

    public var status: Int {
        switch self {
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields: 431
        case .unknownCoding: 501
        case .unknownExpectation: 417
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// One sentence for the client.
    public var reason: String {
        switch self {
        case .badRequestLine: "The request line is malformed."
        case .badTarget: "The request target is malformed."
        case .badFieldLine: "A header field is malformed."
        case .badLineEnd: "A line does not end with CR LF."
        case .folded: "Folded header fields are not allowed."
        case .badHost: "Exactly one valid Host field is needed."
        case .badContentLength: "Content-Length is malformed or repeated."
        case .lengthAndCoding: "Content-Length and Transfer-Encoding exclude each other."
        case .badTransferEncoding: "Transfer-Encoding is malformed."
        case .targetTooLong: "The request target is too long."
        case .headTooLarge: "The request header is too large."
        case .tooManyFields: "The request has too many header fields."
        case .unknownCoding: "The transfer coding is not supported."
        case .unknownExpectation: "The expectation is not supported."
        case .unsupportedVersion: "The HTTP version is not supported."
        }
    }
}
