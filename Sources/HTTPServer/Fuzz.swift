/// Entries for fuzzers: they take any bytes and must neither trap nor run long.

/// Decodes heads one after the other until one fails or the bytes end, in two pieces, and compares with the whole.
/// Returns false where the two disagree.
public func fuzzRequestDecoder(_ bytes: Span<UInt8>) -> Bool {
    var whole = RequestDecoder()
    var split = RequestDecoder()
    let half = bytes.count / 2
    var pieces = fuzzVerdict(split.decode(bytes.extracting(..<half)))
    if pieces == 0 { pieces = fuzzVerdict(split.decode(bytes)) }
    let result = whole.decode(bytes)
    if case .head(_, let consumed) = result, consumed < bytes.count {
        _ = whole.decode(bytes.extracting(consumed...))
    }
    return fuzzVerdict(result) == pieces
}

/// Decodes a chunked body to its end.
public func fuzzChunkedDecoder(_ bytes: Span<UInt8>) {
    var decoder = ChunkedDecoder()
    var start = 0
    while start < bytes.count {
        switch decoder.next(bytes.extracting(start...)) {
        case .needsMore(let consumed): start += consumed
        case .data(let range): start += range.upperBound
        case .end, .malformed: return
        }
    }
}

private func fuzzVerdict(_ result: RequestDecoder.Result) -> Int {
    switch result {
    case .needsMore: 0
    case .head(_, let consumed): consumed
    case .failure(let error): -error.status
    }
}
