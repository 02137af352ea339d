import Bytes
import HTTPServer
import SigV4
import Testing

@Suite struct ChunkedDecoderTests {
    private static let crc = (name: bytes("x-amz-checksum-crc32c"), value: bytes("sOO8/Q=="))

    /// The payload of AWS's published chunked upload, with or without a trailer.
    private func published(trailer: Bool) throws -> AuthenticatedPayload {
        var fields = [
            ("Host", "s3.amazonaws.com"), ("x-amz-date", Example.date), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("Content-Encoding", "aws-chunked"), ("x-amz-decoded-content-length", "66560"),
        ]
        if trailer {
            fields += [
                ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
                ("x-amz-trailer", "x-amz-checksum-crc32c"),
                (
                    "Authorization",
                    Example.authorization(
                        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
                            + "x-amz-storage-class;x-amz-trailer",
                        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
                ),
            ]
        } else {
            fields += [
                ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), ("Content-Length", "66824"),
                (
                    "Authorization",
                    Example.authorization(
                        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                            + "x-amz-decoded-content-length;x-amz-storage-class",
                        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
                ),
            ]
        }
        return try verify(Example.head("PUT", "/examplebucket/chunkObject.txt", fields))
    }

    private func publishedBody(trailer: Bool) -> [UInt8] {
        let signatures =
            trailer
            ? [
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            ]
            : [
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ]
        var body: [UInt8] = []
        for (count, signature) in zip([65_536, 1024, 0], signatures) {
            body += bytes("\(String(count, radix: 16));chunk-signature=\(signature)\r\n")
            body += [UInt8](repeating: 0x61, count: count)
            if count > 0 { body += bytes("\r\n") }
        }
        if trailer {
            body += bytes("x-amz-checksum-crc32c:sOO8/Q==\r\n")
            body += bytes(
                "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n")
        }
        return body + bytes("\r\n")
    }

    /// Decodes in steps of `step` bytes; what was emitted, and the trailer.
    private func decode(
        _ body: [UInt8], _ payload: AuthenticatedPayload, length: Int, announced: [String] = [], step: Int = .max
    ) throws -> (object: [UInt8], trailers: [(name: [UInt8], value: [UInt8])]) {
        var decoder = try ChunkedDecoder(
            payload: payload, decodedLength: UInt64(length), announcedTrailers: announced.map(bytes))
        var object: [UInt8] = []
        var place = 0
        while place < body.count {
            let end = place + min(step, body.count - place)
            try decoder.decode(body.span.extracting(place..<end)) { piece in
                for index in piece.indices { object.append(piece[index]) }
            }
            place = end
        }
        try decoder.finish()
        return (object, decoder.trailers)
    }

    private func failure(
        _ body: String, _ payload: AuthenticatedPayload, length: Int, announced: [String] = [], step: Int = .max
    ) -> ChunkError? {
        do {
            _ = try decode(bytes(body), payload, length: length, announced: announced, step: step)
            return nil
        } catch { return error as? ChunkError }
    }

    private func unsigned() throws -> AuthenticatedPayload {
        try AuthenticatedPayload.anonymous(.streamingUnsignedTrailer)
    }

    @Test(arguments: [1, 2, 3, 89, 1000, 65_536, .max])
    func `the published chunked upload decodes, however it is cut`(_ step: Int) throws {
        let result = try decode(
            publishedBody(trailer: false), published(trailer: false), length: 66_560, step: step)
        #expect(result.object == [UInt8](repeating: 0x61, count: 66_560))
        #expect(result.trailers.isEmpty)
    }

    @Test(arguments: [1, 2, 3, 89, 1000, 65_536, .max])
    func `the published chunked upload with a trailer decodes, however it is cut`(_ step: Int) throws {
        let result = try decode(
            publishedBody(trailer: true), published(trailer: true), length: 66_560,
            announced: ["x-amz-checksum-crc32c"],
            step: step)
        #expect(result.object.count == 66_560)
        #expect(result.trailers.count == 1)
        #expect(result.trailers.first?.name == Self.crc.name)
        #expect(result.trailers.first?.value == Self.crc.value)
    }

    @Test func `a signed trailer may end without the empty line, as AWS's grammar has it`() throws {
        let body = [UInt8](publishedBody(trailer: true).dropLast(2))
        let result = try decode(
            body, published(trailer: true), length: 66_560, announced: ["x-amz-checksum-crc32c"])
        #expect(result.trailers.count == 1)
    }

    @Test func `a changed byte, signature or trailer is found`() throws {
        let good = publishedBody(trailer: true)
        let payload = try published(trailer: true)
        // One place in each chunk's signature and data, in the trailer's value and in its signature.
        let places = [30, 1000, 65_535 + 86, 65_700, 66_000, 66_800, good.count - 105, good.count - 20]
        for place in places {
            var body = good
            body[place] ^= 1
            #expect(throws: (any Error).self, "at \(place)") {
                try decode(body, payload, length: 66_560, announced: ["x-amz-checksum-crc32c"])
            }
        }
    }

    @Test func `the error of a wrong chunk signature, and of a wrong trailer signature, is a mismatch`() throws {
        var body = publishedBody(trailer: false)
        body[1000] = 0x62
        #expect(throws: ChunkError.signatureMismatch) {
            try decode(body, published(trailer: false), length: 66_560)
        }
        var trailered = publishedBody(trailer: true)
        trailered[trailered.count - 5] ^= 1
        #expect(throws: ChunkError.signatureMismatch) {
            try decode(trailered, published(trailer: true), length: 66_560, announced: ["x-amz-checksum-crc32c"])
        }
    }

    @Test func `chunks in another order, or left out, do not verify`() throws {
        var encoder = try #require(try streaming(.streamingSigned).1)
        let (one, two, end) = (encoder.chunk(bytes("one")), encoder.chunk(bytes("two")), encoder.end())
        let payload = try streaming(.streamingSigned).0
        #expect(try decode(one + two + end, payload, length: 6).object == bytes("onetwo"))
        #expect(failure(String(ascii: two + one + end), payload, length: 6) == .signatureMismatch)
        #expect(failure(String(ascii: one + end), payload, length: 3) == .signatureMismatch)
        #expect(failure(String(ascii: one + one + end), payload, length: 6) == .signatureMismatch)
    }

    @Test(arguments: [PayloadMode.streamingSigned, .streamingSignedTrailer, .streamingUnsignedTrailer])
    func `what the encoder frames decodes, and every prefix of it is incomplete`(_ mode: PayloadMode) throws {
        let (payload, made) = try streaming(mode)
        var encoder = try #require(made)
        var body = encoder.chunk(bytes("hello, ")) + encoder.chunk(bytes("world")) + encoder.chunk([])
        let names = mode == .streamingSigned ? [] : ["x-amz-checksum-crc32c"]
        body += encoder.end(trailers: names.map { (bytes($0), Self.crc.value) })
        #expect(try decode(body, payload, length: 12, announced: names).object == bytes("hello, world"))
        let mayEndEarly = mode == .streamingSignedTrailer ? body.count - 2 : body.count
        for count in 0..<body.count where count != mayEndEarly {
            #expect(throws: ChunkError.self, "\(count) bytes") {
                try decode([UInt8](body.prefix(count)), payload, length: 12, announced: names)
            }
        }
    }

    @Test func `an empty object is one empty chunk`() throws {
        for mode in [PayloadMode.streamingSigned, .streamingSignedTrailer, .streamingUnsignedTrailer] {
            let (payload, made) = try streaming(mode)
            var encoder = try #require(made)
            #expect(try decode(encoder.end(), payload, length: 0).object == [])
        }
    }

    @Test(arguments: 1...40) func `any split of an unsigned body with a trailer decodes`(_ step: Int) throws {
        let body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
        let result = try decode(
            bytes(body), unsigned(), length: 5, announced: ["x-amz-checksum-crc32"], step: step)
        #expect(result.object == bytes("hello"))
        #expect(result.trailers.first?.value == bytes("NhCmhg=="))
    }

    @Test func `minio-go's line ends are understood`() throws {
        let body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n\r\n"
        for step in [1, 7, 100] {
            let result = try decode(
                bytes(body), unsigned(), length: 5, announced: ["x-amz-checksum-crc32"], step: step)
            #expect(result.trailers.first?.value == bytes("NhCmhg=="))
        }
    }

    @Test(arguments: [
        "\r\n", "\n", "x\r\n", "5 \r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\n\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nx",
    ]) func `a chunk outside the grammar is refused`(_ body: String) throws {
        #expect(failure(body, try unsigned(), length: 5) == .malformedChunk)
    }

    @Test(arguments: [
        "4\r\nhell\r\n0\r\n\r\n", "6\r\nhello!\r\n0\r\n\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "0\r\n\r\n", "",
        "ffffffffffffffff\r\n", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n",
    ]) func `a length other than the announced one is refused`(_ body: String) throws {
        #expect(failure(body, try unsigned(), length: 5) == .wrongLength)
    }

    @Test(arguments: [
        "x-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:b\r\n\r\n", "x-amz-other:a\r\n\r\n", "\r\n", "nonsense\r\n\r\n",
        "x-amz-checksum-crc32:a\r\nx-amz-trailer-signature:00\r\n\r\n", "x-amz-checksum-crc32:\u{1}\r\n\r\n",
        "x-amz-checksum-crc32:a\rb\r\n\r\n", "x-amz-checksum-crc32:a\n\n\r\n",
        "x-amz-checksum-crc32:a\r\n\n\r\n", "\nx-amz-checksum-crc32:a\r\n\r\n",
    ]) func `a trailer that is doubled, unannounced, missing or malformed is refused`(_ trailer: String) throws {
        #expect(
            failure("5\r\nhello\r\n0\r\n" + trailer, try unsigned(), length: 5, announced: ["x-amz-checksum-crc32"])
                == .malformedTrailer)
    }

    @Test func `a trailer without end is cut off`() throws {
        let trailer = String(repeating: "a", count: 10_000)
        #expect(
            failure("0\r\nx:" + trailer, try unsigned(), length: 0, announced: ["x"]) == .malformedTrailer)
    }

    @Test func `a signed body takes no trailer where none was announced in its mode`() throws {
        let (payload, made) = try streaming(.streamingSigned)
        var encoder = try #require(made)
        let end = String(ascii: encoder.end().dropLast(2))
        #expect(failure(end + "x-amz-checksum-crc32:a\r\n\r\n", payload, length: 0) == .malformedTrailer)
    }

    @Test func `a signed trailer must be signed`() throws {
        let (payload, made) = try streaming(.streamingSignedTrailer)
        var encoder = try #require(made)
        let end = String(ascii: encoder.end(trailers: [Self.crc]))
        let unsigned = end.components("x-amz-trailer-signature").0 + "\r\n"
        #expect(failure(unsigned, payload, length: 0, announced: ["x-amz-checksum-crc32c"]) == .malformedTrailer)
    }

    @Test func `an error stays`() throws {
        var decoder = try ChunkedDecoder(payload: unsigned(), decodedLength: 5)
        #expect(throws: ChunkError.malformedChunk) { try decoder.decode(bytes("zz\r\n").span) { _ in } }
        #expect(throws: ChunkError.malformedChunk) { try decoder.decode(bytes("5\r\n").span) { _ in } }
        #expect(throws: ChunkError.malformedChunk) { try decoder.finish() }
    }

    @Test func `a body that is not chunked has no decoder, and signed chunks need a key`() {
        #expect(throws: ChunkError.notChunked) {
            try ChunkedDecoder(payload: AuthenticatedPayload.anonymous(.unsigned), decodedLength: 1)
        }
        #expect(throws: SignatureError.invalidPayloadHash) { try AuthenticatedPayload.anonymous(.streamingSigned) }
    }

    private func streaming(_ mode: PayloadMode) throws -> (AuthenticatedPayload, ChunkedEncoder?) {
        let signed = try #require(
            Example.signer.sign(
                method: "PUT", path: bytes("/b/k"), fields: [(bytes("host"), bytes("h"))], payload: mode,
                at: Example.now))
        return (try verify(head("PUT", bytes("/b/k"), signed)), signed.encoder)
    }
}

extension String {
    /// What stands before and after `mark`.
    fileprivate func components(_ mark: String) -> (String, String) {
        guard let range = firstRange(of: mark) else { return (self, "") }
        return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
    }
}
