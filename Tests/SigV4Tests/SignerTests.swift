import Bytes
import HTTPServer
import SigV4
import Testing

@Suite struct SignerTests {
    @Test func `the signer makes the published signature`() throws {
        let signed = try #require(
            Example.signer.sign(
                method: "GET", path: bytes("/test.txt"),
                fields: [(bytes("Range"), bytes("bytes=0-9")), (bytes("Host"), bytes(Example.host))],
                payload: .sha256(Example.emptyDigest), at: Example.now))
        let authorization = try #require(signed.fields.last)
        #expect(
            String(ascii: authorization.value)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func `the signer makes the published presigned URL`() throws {
        let target = try #require(
            Example.signer.presign(
                method: "GET", host: bytes(Example.host), path: bytes("/test.txt"), expires_s: 86_400, at: Example.now))
        #expect(
            String(ascii: target)
                == "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
                + "%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test func `an expiry outside one second to a week gives no URL`() {
        for expires: Int64 in [0, -1, 604_801] {
            #expect(
                Example.signer.presign(
                    method: "GET", host: bytes("h"), path: bytes("/"), expires_s: expires, at: Example.now) == nil)
        }
    }

    @Test func `whatever the signer signs verifies, and no changed bit does`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        for round in 0..<200 {
            let request = RandomRequest(using: &random)
            let signed = try #require(
                Example.signer.sign(
                    method: request.method, path: request.path, query: request.query, fields: request.fields,
                    payload: request.payload, at: Example.now))
            let target = request.target
            let good = try #require(
                RequestHead.make(method: request.method, target: target, fields: signed.fields),
                "seed \(seed) round \(round)")
            #expect(failure(good) == nil, "seed \(seed) round \(round) \(String(ascii: target))")
            try expectFlipsFail(request, signed.fields, using: &random, "seed \(seed) round \(round)")
        }
    }

    @Test func `whatever the signer presigns verifies, and no changed bit of the signature does`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        for round in 0..<200 {
            let request = RandomRequest(using: &random)
            let target = try #require(
                Example.signer.presign(
                    method: request.method, host: bytes("h"), path: request.path, query: request.query, expires_s: 60,
                    at: Example.now))
            let host: [Signer.Field] = [(bytes("host"), bytes("h"))]
            let good = try #require(RequestHead.make(method: request.method, target: target, fields: host))
            #expect(failure(good) == nil, "seed \(seed) round \(round) \(String(ascii: target))")
            var bad = target
            bad[target.count - 1 - Int.random(in: 0..<64, using: &random)] ^= 1
            let changed = try #require(RequestHead.make(method: request.method, target: bad, fields: host))
            #expect(failure(changed) != nil, "seed \(seed) round \(round) \(String(ascii: bad))")
        }
    }

    /// Flips one bit in the path and in each field's value; what still forms a request must not verify.
    private func expectFlipsFail(
        _ request: RandomRequest, _ fields: [Signer.Field], using random: inout SeededGenerator, _ place: String
    ) throws {
        for index in fields.indices where !fields[index].value.isEmpty {
            var changed = fields
            let at = Int.random(in: 0..<changed[index].value.count, using: &random)
            changed[index].value[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            guard let head = RequestHead.make(method: request.method, target: request.target, fields: changed) else {
                continue
            }
            // The scheme's own letters, and white space that the canonical form drops, may change into the same request.
            let same = CanonicalText.equal(changed[index].value, fields[index].value)
            // Another access key is another user: its secret would be looked up, and would not match.
            if let request = try? SignedRequest.parse(head: head), request.accessKey != Example.accessKey { continue }
            #expect(failure(head) != nil || same, "\(place) field \(index) byte \(at)")
        }
        var target = request.target
        let at = Int.random(in: 1..<target.count + 1, using: &random)
        target.insert(0x7A, at: at)
        if let head = RequestHead.make(method: request.method, target: target, fields: fields) {
            // A letter right after `%` or inside a run of `&` changes the request too, or makes it malformed.
            #expect(failure(head) != nil, "\(place) target \(String(ascii: target))")
        }
    }
}

private enum CanonicalText {
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let words = { (text: [UInt8]) in text.split { $0 == 0x20 || $0 == 0x09 } }
        return words(a) == words(b)
    }
}

/// A request with an odd key, odd parameters and odd metadata.
private struct RandomRequest {
    let method: String
    let path: [UInt8]
    let query: [UInt8]
    let fields: [Signer.Field]
    let payload: PayloadMode

    var target: [UInt8] { query.isEmpty ? path : path + [Ascii.question] + query }

    init(using random: inout SeededGenerator) {
        method = ["GET", "PUT", "POST", "DELETE", "HEAD"].randomElement(using: &random) ?? "GET"
        path = [Ascii.slash] + Self.encoded(count: Int.random(in: 0..<20, using: &random), "/", using: &random)
        var query: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<4, using: &random) {
            if !query.isEmpty { query.append(Ascii.ampersand) }
            query += Self.encoded(count: Int.random(in: 1..<6, using: &random), "", using: &random)
            query.append(Ascii.equals)
            query += Self.encoded(count: Int.random(in: 0..<6, using: &random), "+/", using: &random)
        }
        self.query = query
        var fields: [Signer.Field] = [(bytes("Host"), bytes("h:9000"))]
        for index in 0..<Int.random(in: 0..<4, using: &random) {
            let value = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                UInt8.random(in: 0x20...0xFF, using: &random)
            }
            fields.append((bytes("X-Amz-Meta-\(index)"), [UInt8](Ascii.trimmed(value))))
        }
        self.fields = fields
        payload =
            [.unsigned, .streamingSigned, .sha256([UInt8](repeating: 7, count: 32))].randomElement(using: &random)
            ?? .unsigned
    }

    /// Bytes of any value, percent-encoded but for letters, and for those in `literal`.
    private static func encoded(count: Int, _ literal: String, using random: inout SeededGenerator) -> [UInt8] {
        (0..<count).flatMap { _ -> [UInt8] in
            if !literal.isEmpty, Bool.random(using: &random), let c = literal.utf8.randomElement(using: &random) {
                return [c]
            }
            return PercentEncoding.encode([UInt8.random(in: 0...0xFF, using: &random)])
        }
    }
}
