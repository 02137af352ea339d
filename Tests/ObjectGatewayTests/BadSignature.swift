import Bytes
import Digests
import JSON
import Metadata

/// What can be wrong with a request's proof, and how AWS answers.
enum BadSignature: CaseIterable, Sendable {
    case wrongSecret, unknownKey, disabledUser
    case otherMethod, tamperedPath, tamperedQuery, tamperedSignedHeader, tamperedBodyHash
    case unsignedAmzHeader, unsignedCopySource, hostNotSigned
    case tooOld, tooNew, dateMissing, scopeOfOtherDay
    case wrongRegion, wrongService, wrongTerminal, otherAccessKey
    case signatureTruncated, signatureEmpty, signatureInUpperCase, signatureWithOneDigitChanged
    case credentialsDoubled, headerAndQuery, signatureVersion2

    /// The request with this fault, and the codes with which it may be refused.
    func apply(to plain: TestRequest, _ form: AuthForm) throws -> (WireRequest, codes: Set<String>) {
        var request = plain
        request.headers.append(("content-type", "text/plain"))
        let isPresigned = form == .presigned
        let malformed: Set =
            isPresigned ? ["AuthorizationQueryParametersError"] : ["AuthorizationHeaderMalformed"]
        var wire = try request.signed(form: form)
        switch self {
        case .wrongSecret:
            var user = TestUser.admin
            user.secret = bytes("another-secret")
            return (try request.signed(by: user, form: form), mismatch)
        case .unknownKey: return (try request.signed(by: .unknown, form: form), ["InvalidAccessKeyId"])
        case .disabledUser: return (try request.signed(by: .disabled, form: form), ["AccessDenied"])
        case .otherMethod:
            wire.method = wire.method == "GET" ? "DELETE" : "GET"
            return (wire, mismatch)
        case .tamperedPath:
            wire.path += bytes("x")
            return (wire, mismatch)
        case .tamperedQuery:
            wire.query += bytes(wire.query.isEmpty ? "x=1" : "&x=1")
            return (wire, mismatch)
        case .tamperedSignedHeader:
            wire.set("content-type", "text/html")
            return (wire, mismatch)
        case .tamperedBodyHash:
            let other = Hex.string(Digest.sha256(bytes("something else")))
            if isPresigned {
                wire.query += bytes("&X-Amz-Content-Sha256=\(other)")
            } else {
                wire.set("x-amz-content-sha256", other)
            }
            return (wire, mismatch)
        case .unsignedAmzHeader:
            wire.set("x-amz-meta-added", "1")
            return (wire, ["AccessDenied"])
        case .unsignedCopySource:
            wire.fields.append((name: bytes("X-Amz-Copy-Source-Added"), value: bytes("bucket/key")))
            return (wire, ["AccessDenied"])
        case .hostNotSigned:
            if isPresigned {
                wire.query = bytes(String(ascii: wire.query).replacing("%3Bhost", with: ""))
            } else {
                wire = try request.signed(form: form, signingHost: false)
            }
            return (wire, ["AccessDenied"])
        case .tooOld:
            return (try request.signed(form: form, at: shifted(-1000)), isPresigned ? ["AccessDenied"] : tooSkewed)
        case .tooNew:
            return (try request.signed(form: form, at: shifted(1000)), isPresigned ? ["AccessDenied"] : tooSkewed)
        case .dateMissing:
            if isPresigned {
                wire.query = bytes(
                    String(ascii: wire.query).split(separator: "&").filter { !$0.hasPrefix("X-Amz-Date") }
                        .joined(separator: "&"))
                return (wire, malformed)
            }
            wire.remove("x-amz-date")
            return (wire, ["AccessDenied"])
        case .scopeOfOtherDay:
            let day = String(ascii: DateFormats.amz(now()).prefix(8))
            wire.replaceCredentials("/\(day)/", "/20130524/")
            return (wire, malformed)
        case .wrongRegion: return (try request.signed(form: form, region: "eu-west-1"), malformed)
        case .wrongService:
            wire.replaceCredentials("/s3/", "/ec2/")
            return (wire, malformed)
        case .wrongTerminal:
            wire.replaceCredentials("/aws4_request", "/aws5_request")
            return (wire, malformed)
        case .otherAccessKey:
            wire.replaceCredentials(
                String(ascii: TestUser.admin.accessKey), String(ascii: TestUser.readwrite.accessKey))
            return (wire, mismatch)
        default: return try applyToSignature(wire, isPresigned)
        }
    }

    private func applyToSignature(_ signed: WireRequest, _ isPresigned: Bool) throws -> (
        WireRequest, codes: Set<String>
    ) {
        var wire = signed
        let whole = wire["authorization"] ?? String(ascii: wire.query)
        let signature = String(whole.suffix(64))
        switch self {
        case .signatureTruncated:
            wire.replaceCredentials(signature, String(signature.dropLast()))
            return (wire, mismatch)
        case .signatureEmpty:
            wire.replaceCredentials(signature, "")
            return (wire, mismatch)
        case .signatureInUpperCase:
            // A signature of digits alone has no other case; one in 10^13 is.
            wire.replaceCredentials(signature, signature.uppercased())
            return (wire, mismatch)
        case .signatureWithOneDigitChanged:
            let last = signature.last == "0" ? "1" : "0"
            wire.replaceCredentials(signature, signature.dropLast() + last)
            return (wire, mismatch)
        case .credentialsDoubled:
            if isPresigned {
                wire.query += bytes("&X-Amz-Signature=\(signature)")
            } else {
                wire.fields.append((name: bytes("authorization"), value: bytes(whole)))
            }
            return (wire, ["InvalidArgument"])
        case .headerAndQuery:
            if isPresigned {
                wire.set("authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b")
            } else {
                wire.query += bytes((wire.query.isEmpty ? "" : "&") + "X-Amz-Signature=\(signature)")
            }
            return (wire, ["InvalidArgument"])
        default:
            if isPresigned {
                wire.query = bytes("AWSAccessKeyId=KEY&Expires=9999999999&Signature=abc")
                return (wire, ["InvalidAccessKeyId"])
            } else {
                wire.set("authorization", "AWS KEY:c2lnbmF0dXJl")
            }
            return (wire, ["InvalidAccessKeyId", "AccessDenied"])
        }
    }

    private var mismatch: Set<String> { ["SignatureDoesNotMatch"] }
    private var tooSkewed: Set<String> { ["RequestTimeTooSkewed"] }

    private func shifted(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: now().milliseconds + seconds * 1000)
    }
}
