import Bytes
import HTTPServer
import SigV4

private let now = Timestamp(seconds: 1_369_353_600)
private let secret = [UInt8]("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".utf8)
private let signer = Signer(accessKey: "AKIAIOSFODNN7EXAMPLE".utf8, secret: secret, region: "us-east-1".utf8)

/// Lines: method, target, then `name:value`. Foreign credentials must not trap, and what the signer signs must verify.
func fuzzSigV4(_ input: [UInt8]) {
    let lines = Ascii.split(input[...], at: Ascii.lineFeed)
    guard lines.count >= 2 else { return }
    let method = String(decoding: lines[0], as: UTF8.self)
    var fields: [Signer.Field] = []
    for line in lines.dropFirst(2) {
        guard let colon = line.firstIndex(of: Ascii.colon) else { continue }
        fields.append((name: [UInt8](line[..<colon]), value: [UInt8](Ascii.trimmed(line[(colon + 1)...]))))
    }
    guard let head = RequestHead.make(method: method, target: lines[1], fields: fields) else { return }
    let configuration = SignatureConfiguration()
    if let request = try? SignedRequest.parse(head: head) {
        _ = try? request.verify(secret: secret, head: head, now: now, configuration: configuration)
    }
    // The same request, signed here: without its own credentials, and without what the signer itself adds.
    let own = ["authorization", "host", "x-amz-date", "x-amz-content-sha256", "x-amz-decoded-content-length"]
    let others = fields.filter { field in !own.contains { Ascii.equalIgnoringCase($0.utf8, field.name) } }
    let host: Signer.Field = (name: [UInt8]("Host".utf8), value: [UInt8]("h".utf8))
    checkSigned(method, head, [host] + others, configuration)
    checkPresigned(method, head, configuration)
}

private func checkSigned(
    _ method: String, _ head: RequestHead, _ fields: [Signer.Field], _ configuration: SignatureConfiguration
) {
    let query = [UInt8](head.query ?? [])
    guard
        let signed = signer.sign(
            method: method, path: [UInt8](head.path), query: query, fields: fields, payload: .unsigned, at: now)
    else { return }
    let target = [UInt8](head.path) + (head.query == nil ? [] : [Ascii.question] + query)
    guard let made = RequestHead.make(method: method, target: target, fields: signed.fields) else {
        require(false, "the signer made no request")
        return
    }
    do throws(SignatureError) {
        let request = try SignedRequest.parse(head: made)
        _ = try request?.verify(secret: secret, head: made, now: now, configuration: configuration)
        require(request != nil, "the signature was not seen")
    } catch {
        // Only credentials in the query beside those of the header may stand in the way, or more names than are taken.
        let isExpected = error == .doubledCredentials || error == .malformedTarget || fields.count > 200
        require(isExpected, "\(error)")
    }
}

private func checkPresigned(_ method: String, _ head: RequestHead, _ configuration: SignatureConfiguration) {
    let host: Signer.Field = (name: [UInt8]("Host".utf8), value: [UInt8]("h".utf8))
    guard
        let target = signer.presign(
            method: method, host: host.value, path: [UInt8](head.path), query: [UInt8](head.query ?? []), expires_s: 60,
            at: now), let made = RequestHead.make(method: method, target: target, fields: [host])
    else { return }
    do throws(SignatureError) {
        let request = try SignedRequest.parse(head: made)
        require(request != nil, "the signature was not seen")
        _ = try request?.verify(secret: secret, head: made, now: now, configuration: configuration)
    } catch {
        // The query brought X-Amz parameters of its own.
        switch error {
        case .doubledCredentials, .invalidPayloadHash, .payloadNotImplemented, .malformedTarget: break
        case .mismatch: require(Ascii.lowered(target).contains("content-sha256"), "\(error)")
        default: require(false, "\(error)")
        }
    }
}

extension [UInt8] {
    /// Percent-decoded or not, the name is somewhere.
    fileprivate func contains(_ text: String) -> Bool {
        let plain = String(decoding: PercentEncoding.decode(self) ?? self, as: UTF8.self)
        return plain.lowercased().contains(text)
    }
}

/// Lines: algorithm, credential, date, signature, policy.
func fuzzPolicy(_ input: [UInt8]) {
    let lines = Ascii.split(input[...], at: Ascii.lineFeed).map { [UInt8]($0) }
    guard lines.count >= 5 else { return }
    let presented = try? PostPolicySignature.parse(
        algorithm: lines[0], credential: lines[1], date: lines[2], signature: lines[3], policy: lines[4])
    try? presented?.verify(secret: secret, configuration: SignatureConfiguration())
}

/// Unsigned aws-chunked: bytes 0 and 1 give the announced length, byte 2 the cut. One outcome however the bytes are cut.
func fuzzUnsignedChunks(_ input: [UInt8]) {
    guard input.count >= 3, let payload = try? AuthenticatedPayload.anonymous(.streamingUnsignedTrailer) else { return }
    let length = UInt64(input[0]) << 8 | UInt64(input[1])
    let body = [UInt8](input[3...])
    let whole = decoded(body, payload, length, step: max(1, body.count))
    let cut = decoded(body, payload, length, step: 1 + Int(input[2] & 31))
    require(whole == cut, "whole \(whole), cut \(cut)")
    if whole.failure == nil { require(whole.object.count == Int(length), "length") }
}

/// Signed aws-chunked: bytes 0 to 3 say how the rest is cut into chunks, and where one bit is changed, which must be found.
func fuzzSignedChunks(_ input: [UInt8]) {
    guard input.count >= 4 else { return }
    let object = [UInt8](input[4...])
    let hasTrailer = input[0] & 1 == 1
    let mode: PayloadMode = hasTrailer ? .streamingSignedTrailer : .streamingSigned
    let host: Signer.Field = (name: [UInt8]("host".utf8), value: [UInt8]("h".utf8))
    guard
        let signed = signer.sign(
            method: "PUT", path: [UInt8]("/b/k".utf8), fields: [host], payload: mode, at: now),
        var encoder = signed.encoder,
        let head = RequestHead.make(method: "PUT", target: "/b/k".utf8, fields: signed.fields),
        let request = try? SignedRequest.parse(head: head),
        let payload = try? request.verify(
            secret: secret, head: head, now: now, configuration: SignatureConfiguration())
    else { return require(false, "the head did not verify") }
    var body: [UInt8] = []
    var start = 0
    let chunkLength = max(1 + Int(input[1]), object.count / 8)
    while start < object.count {
        let end = min(object.count, start + chunkLength)
        body += encoder.chunk([UInt8](object[start..<end]))
        start = end
    }
    let trailer: Signer.Field = (name: [UInt8]("x-amz-checksum-crc32".utf8), value: [UInt8]("AAAAAA==".utf8))
    body += encoder.end(trailers: hasTrailer ? [trailer] : [])
    let step = 1 + Int(input[0] >> 1)
    let good = decoded(body, payload, UInt64(object.count), step: step, announced: hasTrailer ? [trailer.name] : [])
    require(good.failure == nil && good.object == object, "what was encoded did not decode: \(good)")
    let place = (Int(input[2]) << 8 | Int(input[3])) % body.count
    body[place] ^= 1 << (input[0] >> 5)
    let bad = decoded(body, payload, UInt64(object.count), step: step, announced: hasTrailer ? [trailer.name] : [])
    require(bad.failure != nil || bad.object == object, "a changed bit at \(place) went through")
}

private struct DecodedChunks: Equatable {
    var object: [UInt8] = []
    var failure: ChunkError?
    var trailerCount = 0
}

private func decoded(
    _ body: [UInt8], _ payload: AuthenticatedPayload, _ length: UInt64, step: Int,
    announced: [[UInt8]] = [[UInt8]("x-amz-checksum-crc32".utf8)]
) -> DecodedChunks {
    var out = DecodedChunks()
    do {
        var decoder = try SigV4.ChunkedDecoder(payload: payload, decodedLength: length, announcedTrailers: announced)
        var start = 0
        while start < body.count {
            let end = min(body.count, start + step)
            try decoder.decode(body.span.extracting(start..<end)) { piece in
                for index in piece.indices { out.object.append(piece[index]) }
            }
            start = end
        }
        try decoder.finish()
        out.trailerCount = decoder.trailers.count
    } catch let error as ChunkError {
        out.failure = error
    } catch { require(false, "\(error)") }
    require(UInt64(out.object.count) <= length, "more than the announced length")
    return out
}
