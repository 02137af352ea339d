import Bytes
import HTTPServer
import SigV4

/// The head decoder: one verdict however the bytes are cut, and nothing in a head that the grammar forbids.
func fuzzRequestHead(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let bytes = [UInt8](input.dropFirst())
    var whole = RequestDecoder()
    let verdict = summary(whole.decode(bytes.span))
    var cut = RequestDecoder()
    var end = 0
    var result = RequestDecoder.Result.needsMore
    while end < bytes.count {
        end = min(bytes.count, end + 1 + Int(first & 31))
        result = cut.decode(bytes.span.extracting(..<end))
        guard case .needsMore = result else { break }
    }
    if bytes.isEmpty { result = cut.decode(bytes.span) }
    require(summary(result) == verdict, "cut: \(summary(result)), whole: \(verdict)")
    if case .head(let head, _) = result {
        checkHead(head)
        _ = try? SignedRequest.parse(head: head)
    }
}

private func checkHead(_ head: RequestHead) {
    require(!head.path.contains { $0 <= Ascii.space || $0 == Ascii.question }, "path")
    for index in 0..<head.fieldCount {
        let field = head.field(at: index)
        require(!field.name.isEmpty && field.name.allSatisfy(HeaderBlock.isTokenCharacter), "name")
        require(!field.value.contains { $0 == 0 || $0 == 10 || $0 == 13 }, "value")
        require(Ascii.trimmed(field.value).count == field.value.count, "trimmed")
    }
    require(head.count(of: "content-length") <= 1, "two lengths")
    require(head.count(of: "content-length") == 0 || head.count(of: "transfer-encoding") == 0, "length and coding")
}

private func summary(_ result: RequestDecoder.Result) -> String {
    switch result {
    case .needsMore: "more"
    case .failure(let error): "\(error)"
    case .head(let head, let consumed):
        "\(consumed) \(head.methodBytes) \(head.path) \(String(describing: head.query)) \(head.fieldCount) \(head.body) "
            + "\(head.keepsAlive) \(head.expectsContinue)"
    }
}

/// HTTP's own chunked coding: the same data and the same end however the bytes are cut.
func fuzzHTTPChunked(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let bytes = [UInt8](input.dropFirst())
    let whole = dechunk(bytes, step: max(1, bytes.count))
    let cut = dechunk(bytes, step: 1 + Int(first & 31))
    require(whole == cut, "whole \(whole), cut \(cut)")
}

private struct Dechunked: Equatable {
    var data: [UInt8] = []
    /// Bytes up to and with the end; nil when it did not come.
    var end: Int?
    var isMalformed = false
}

private func dechunk(_ bytes: [UInt8], step: Int) -> Dechunked {
    var decoder = HTTPServer.ChunkedDecoder()
    var out = Dechunked()
    var start = 0
    while start < bytes.count {
        let piece = bytes.span.extracting(start..<min(bytes.count, start + step))
        var place = 0
        while place < piece.count {
            switch decoder.next(piece.extracting(place...)) {
            case .needsMore(let consumed):
                require(place + consumed == piece.count, "needsMore left bytes")
                place += consumed
            case .data(let range):
                require(!range.isEmpty && place + range.upperBound <= piece.count, "data range \(range)")
                for index in range { out.data.append(piece[place + index]) }
                place += range.upperBound
            case .end(let consumed):
                out.end = start + place + consumed
                return out
            case .malformed:
                out.isMalformed = true
                return out
            }
        }
        start += piece.count
    }
    return out
}
