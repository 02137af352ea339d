import Bytes

/// What `x-amz-content-sha256` says of the body (S3-TRAPS 1).
public enum PayloadMode: Sendable, Equatable {
    /// The body's digest, 32 bytes.
    case sha256([UInt8])
    case unsigned
    /// aws-chunked, each chunk signed.
    case streamingSigned
    /// aws-chunked, each chunk and the trailer signed.
    case streamingSignedTrailer
    /// aws-chunked with a trailer, nothing signed.
    case streamingUnsignedTrailer

    /// The body is framed as aws-chunked.
    public var isChunked: Bool {
        switch self {
        case .sha256, .unsigned: false
        case .streamingSigned, .streamingSignedTrailer, .streamingUnsignedTrailer: true
        }
    }

    /// Reads the value of `x-amz-content-sha256`.
    public static func parse(_ text: ArraySlice<UInt8>) throws(SignatureError) -> PayloadMode {
        if text.count == 64, let digest = Hex.decode(text) { return .sha256(digest) }
        for (mode, name) in names where text.elementsEqual(name) { return mode }
        if text.starts(with: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD".utf8) {
            throw .payloadNotImplemented
        }
        throw .invalidPayloadHash
    }

    /// The value of `x-amz-content-sha256`.
    public var text: [UInt8] {
        if case .sha256(let digest) = self { return Hex.encode(digest) }
        return Self.names.first { $0.0 == self }?.1 ?? []
    }

    private static let names: [(PayloadMode, [UInt8])] = [
        (.unsigned, [UInt8]("UNSIGNED-PAYLOAD".utf8)),
        (.streamingSigned, [UInt8]("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".utf8)),
        (.streamingSignedTrailer, [UInt8]("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".utf8)),
        (.streamingUnsignedTrailer, [UInt8]("STREAMING-UNSIGNED-PAYLOAD-TRAILER".utf8)),
    ]
}
