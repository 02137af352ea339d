/// Why an aws-chunked body is refused. In brackets: the code and status with which AWS answers.
public enum ChunkError: Error, Sendable, Equatable {
    /// [InvalidRequest, 400] A chunk's head or end breaks the grammar.
    case malformedChunk
    /// [MalformedTrailerError, 400] A trailer line breaks the grammar, was not announced by `x-amz-trailer`, or is missing.
    case malformedTrailer
    /// [SignatureDoesNotMatch, 403] A chunk's signature, or the trailer's.
    case signatureMismatch
    /// [IncompleteBody, 400] The body ended early, or its chunks are not what `x-amz-decoded-content-length` says.
    case wrongLength
    /// The payload is not aws-chunked; a mistake of the caller.
    case notChunked
}
