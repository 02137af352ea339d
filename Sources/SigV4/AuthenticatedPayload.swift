/// What a checked signature says of the body that follows.
public struct AuthenticatedPayload: Sendable {
    public let mode: PayloadMode
    /// What the chunks' signatures go on from; nil where chunks are not signed.
    let chunks: ChunkSigning?

    /// The body of a request without credentials, whose mode is `x-amz-content-sha256`, or `.unsigned` without that field.
    /// Signed chunks cannot be checked without a key, so they are refused.
    public static func anonymous(_ mode: PayloadMode) throws(SignatureError) -> AuthenticatedPayload {
        switch mode {
        case .sha256, .unsigned, .streamingUnsignedTrailer: AuthenticatedPayload(mode: mode, chunks: nil)
        case .streamingSigned, .streamingSignedTrailer: throw .invalidPayloadHash
        }
    }
}
