import Bytes
import Digests
import Glibc
import JSON
import SigV4
import Testing

/// The ways in which a request may prove who sent it.
enum AuthForm: CaseIterable, Sendable {
    case header, unsignedPayload, chunked, chunkedTrailer, unsignedTrailer, presigned
}

/// A request before it is signed.
struct TestRequest: Sendable {
    static let defaultHost = "127.0.0.1:9000"

    var method: String
    /// As on the wire.
    var path: String
    var query = ""
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// The fields after an aws-chunked body; nil for its CRC32 where no other checksum is sent.
    var trailers: [(String, String)]?
    var host = TestRequest.defaultHost

    private var fields: [Signer.Field] {
        ([("host", host)] + headers).map { (name: bytes($0.0), value: bytes($0.1)) }
    }

    func unsigned() -> WireRequest {
        WireRequest(method: method, path: bytes(path), query: bytes(query), fields: fields, body: body)
    }

    func signed(
        by user: TestUser = .admin, form: AuthForm = .header, at time: Timestamp = now(), region: String = "us-east-1",
        signingHost: Bool = true
    ) throws -> WireRequest {
        let signer = Signer(accessKey: user.accessKey, secret: user.secret, region: region.utf8)
        if form == .presigned { return try presigned(signer, at: time) }
        var fields = fields
        if !signingHost { fields.removeFirst() }
        let sent = chunkTrailers
        if form != .header, form != .unsignedPayload {
            fields.append((name: bytes("x-amz-decoded-content-length"), value: bytes("\(body.count)")))
            if !headers.contains(where: { $0.0 == "content-encoding" }) {
                fields.append((name: bytes("content-encoding"), value: bytes("aws-chunked")))
            }
            if form != .chunked, !sent.isEmpty {
                fields.append((name: bytes("x-amz-trailer"), value: bytes(sent.map(\.0).joined(separator: ","))))
            }
        }
        let signed = try #require(
            signer.sign(
                method: method, path: bytes(path), query: bytes(query), fields: fields, payload: mode(of: form),
                at: time))
        var wire = WireRequest(
            method: method, path: bytes(path), query: bytes(query), fields: signed.fields, body: body)
        if !signingHost { wire.set("host", host) }
        if var encoder = signed.encoder {
            let cut = body.count / 2
            wire.body = encoder.chunk([UInt8](body[..<cut])) + encoder.chunk([UInt8](body[cut...]))
            wire.body += encoder.end(trailers: sent.map { (name: bytes($0.0), value: bytes($0.1)) })
        }
        return wire
    }

    private func presigned(_ signer: Signer, at time: Timestamp) throws -> WireRequest {
        let target = try #require(
            signer.presign(
                method: method, host: bytes(host), path: bytes(path), query: bytes(query),
                fields: [Signer.Field](fields.dropFirst()), expires_s: 600, at: time))
        let question = try #require(target.firstIndex(of: Ascii.question))
        return WireRequest(
            method: method, path: [UInt8](target[..<question]), query: [UInt8](target[(question + 1)...]),
            fields: fields, body: body)
    }

    private func mode(of form: AuthForm) -> PayloadMode {
        switch form {
        case .header: .sha256(Digest.sha256(body))
        case .unsignedPayload, .presigned: .unsigned
        case .chunked: .streamingSigned
        case .chunkedTrailer: .streamingSignedTrailer
        case .unsignedTrailer: .streamingUnsignedTrailer
        }
    }

    private var chunkTrailers: [(String, String)] {
        if let trailers { return trailers }
        if headers.contains(where: { $0.0.hasPrefix("x-amz-checksum-") }) { return [] }
        return [("x-amz-checksum-crc32", Base64.string(Digest.of(body, .crc32)))]
    }
}

/// A request as it goes out. Tests change it after it was signed.
struct WireRequest: Sendable {
    var method: String
    var path: [UInt8]
    /// Without `?`; empty for none.
    var query: [UInt8]
    var fields: [Signer.Field]
    var body: [UInt8]

    var target: [UInt8] { query.isEmpty ? path : path + [Ascii.question] + query }

    subscript(name: String) -> String? {
        fields.first { Ascii.equalIgnoringCase($0.name, name.utf8) }.map { String(ascii: $0.value) }
    }

    /// Replaces all fields of this name, or adds one.
    mutating func set(_ name: String, _ value: String) {
        remove(name)
        fields.append((name: bytes(name), value: bytes(value)))
    }

    mutating func remove(_ name: String) {
        fields.removeAll { Ascii.equalIgnoringCase($0.name, name.utf8) }
    }

    /// Replaces text in the Authorization field, or in the query of a presigned request.
    mutating func replaceCredentials(_ old: String, _ new: String) {
        if let authorization = self["authorization"] {
            set("authorization", authorization.replacing(old, with: new))
        } else {
            let (old, new) = (old.replacing("/", with: "%2F"), new.replacing("/", with: "%2F"))
            query = bytes(String(ascii: query).replacing(old, with: new))
        }
    }
}

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

/// `/bucket/key` with everything encoded once that is not unreserved.
func wirePath(_ bucket: String, _ key: String) -> String {
    "/\(bucket)/" + String(ascii: PercentEncoding.encode(bytes(key), keepingSlash: true))
}

func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
