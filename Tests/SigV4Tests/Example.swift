import Bytes
import HTTPServer
import SigV4
import Testing

/// The credentials and the time of AWS's published examples.
enum Example {
    static let accessKey = [UInt8]("AKIAIOSFODNN7EXAMPLE".utf8)
    static let secret = [UInt8]("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".utf8)
    static let date = "20130524T000000Z"
    static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    static let emptyDigest = Hex.decode(emptyHash.utf8) ?? []
    static let host = "examplebucket.s3.amazonaws.com"
    /// 2013-05-24T00:00:00Z
    static let now = Timestamp(seconds: 1_369_353_600)
    static let signer = Signer(accessKey: accessKey, secret: secret, region: "us-east-1".utf8)

    static func authorization(_ signedHeaders: String, _ signature: String) -> String {
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + "SignedHeaders=\(signedHeaders),Signature=\(signature)"
    }

    static func head(_ method: String, _ target: String, _ fields: [(String, String)]) throws -> RequestHead {
        try #require(RequestHead.make(method: method, target: target, fields: fields))
    }

    /// The first published example, GET of an object's first ten bytes, with any of its fields replaced.
    static func get(
        target: String = "/test.txt", host: String = Example.host, range: String = "bytes=0-9",
        date: String = Example.date,
        hash: String = Example.emptyHash,
        authorization: String = Example.authorization(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        and others: [(String, String)] = []
    ) throws -> RequestHead {
        try head(
            "GET", target,
            [
                ("Host", host), ("Range", range), ("x-amz-content-sha256", hash), ("x-amz-date", date),
                ("Authorization", authorization),
            ] + others)
    }
}

/// Parses and verifies with the example's secret.
@discardableResult
func verify(
    _ head: RequestHead, secret: [UInt8] = Example.secret, now: Timestamp = Example.now, region: String = "us-east-1"
) throws -> AuthenticatedPayload {
    let request = try #require(try SignedRequest.parse(head: head))
    return try request.verify(
        secret: secret, head: head, now: now, configuration: SignatureConfiguration(region: region))
}

/// What `verify` throws; nil when it passes.
func failure(
    _ head: RequestHead, secret: [UInt8] = Example.secret, now: Timestamp = Example.now, region: String = "us-east-1"
) -> SignatureError? {
    do {
        try verify(head, secret: secret, now: now, region: region)
        return nil
    } catch { return error as? SignatureError }
}

func isMismatch(_ error: SignatureError?) -> Bool {
    if case .mismatch = error { true } else { false }
}

func isMalformed(_ error: SignatureError?) -> Bool {
    if case .malformed = error { true } else { false }
}

/// A head that carries what the signer made.
func head(_ method: String, _ target: [UInt8], _ signed: Signer.Signed) throws -> RequestHead {
    try #require(RequestHead.make(method: method, target: target, fields: signed.fields))
}

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

/// A generator that a test can repeat from its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &+ 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
