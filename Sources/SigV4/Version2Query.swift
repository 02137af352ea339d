public import Bytes
import Digests
public import HTTPServer

/// A URL presigned by signature version 2 (userguide/RESTAuthentication, "Query string request authentication alternative"),
/// which aws-cli 1 and boto3 make for us-east-1 unless they are told otherwise. Only this form of version 2 is served: no
/// client in use signs its header form.
public struct Version2Query: PresentedCredentials {
    public let accessKey: [UInt8]
    private let signature: [UInt8]
    private let expires: [UInt8]
    private let end: Timestamp
    /// Bucket, path and the signed parameters.
    private let resource: [UInt8]

    /// The parameters that are part of what is signed.
    private static let signed: Set<[UInt8]> = set([
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
        "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
        "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "select", "select-type",
        "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
    ])
    /// Unsigned parameters that only choose a page of a listing, or name what the signature covers as a header. Any other
    /// could turn the request into one that nobody signed.
    private static let harmless: Set<[UInt8]> = set([
        "content-md5", "content-type", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker",
        "list-type", "marker", "max-keys", "max-parts", "max-uploads", "part-number-marker", "prefix", "start-after",
        "upload-id-marker", "version-id-marker", "x-id",
    ])
    /// The last second of the year 9999.
    private static let expiresMax_s: UInt64 = 253_402_300_799

    /// Nil when the query carries no such credentials. `bucketInHost` is the bucket that the Host names, where it does.
    public static func parse(
        head: RequestHead, bucketInHost: ArraySlice<UInt8>?
    ) throws(SignatureError) -> Version2Query? {
        guard let query = head.query, try PresignedQuery.presence(in: query) == .version2 else { return nil }
        guard head.count(of: "authorization") == 0 else { throw .doubledCredentials }
        return try Version2Query(head, query, bucketInHost)
    }

    private init(
        _ head: RequestHead, _ query: ArraySlice<UInt8>, _ bucketInHost: ArraySlice<UInt8>?
    ) throws(SignatureError) {
        var own: [[UInt8]: [UInt8]] = [:]
        var covered: [(name: [UInt8], text: [UInt8])] = []
        for pair in Ascii.split(query, at: Ascii.ampersand) where !pair.isEmpty {
            let equals = pair.firstIndex(of: Ascii.equals)
            let name = try Self.decoded(pair[..<(equals ?? pair.endIndex)])
            let value = try equals.map { index throws(SignatureError) in try Self.decoded(pair[(index + 1)...]) }
            if Self.credentialNames.contains(name) {
                guard own.updateValue(value ?? [], forKey: name) == nil else { throw .doubledCredentials }
            } else if Self.signed.contains(name) {
                guard !covered.contains(where: { $0.name == name }) else { throw .doubledCredentials }
                covered.append((name, name + (value.map { [Ascii.equals] + $0 } ?? [])))
            } else if !Self.harmless.contains(name) {
                throw .headersNotSigned(String(ascii: name.prefix(64)))
            }
        }
        guard let key = own[Self.keyName], let signature = own[Self.signatureName],
            let expires = own[Self.expiresName], let seconds = Ascii.decimal(expires), seconds <= Self.expiresMax_s
        else {
            throw .malformed(
                .query,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
        }
        accessKey = key
        self.signature = signature
        self.expires = expires
        end = Timestamp(milliseconds: Int64(seconds) * 1000)
        var resource: [UInt8] = []
        if let bucketInHost { resource += [Ascii.slash] + Ascii.lowered(bucketInHost) }
        resource += head.path
        covered.sort { $0.name.lexicographicallyPrecedes($1.name) }
        for (place, parameter) in covered.enumerated() {
            resource.append(place == 0 ? UInt8(ascii: "?") : Ascii.ampersand)
            resource += parameter.text
        }
        self.resource = resource
    }

    public func verify(
        secret: [UInt8], head: RequestHead, now: Timestamp, configuration: SignatureConfiguration
    ) throws(SignatureError) -> AuthenticatedPayload {
        if now > end { throw .expired(at: end, expires_s: 0, serverTime: now) }
        let text = stringToSign(head)
        let expected = Base64.encode(HMAC.sha1(key: secret, text))
        guard ConstantTime.equal(expected, signature) else {
            throw .mismatch(
                SignatureMismatch(
                    accessKey: accessKey, stringToSign: text, signatureProvided: signature, canonicalRequest: []))
        }
        guard let hash = head.first("x-amz-content-sha256") else {
            return AuthenticatedPayload(mode: .unsigned, chunks: nil)
        }
        let mode = try PayloadMode.parse(hash)
        switch mode {
        case .sha256, .unsigned, .streamingUnsignedTrailer: return AuthenticatedPayload(mode: mode, chunks: nil)
        // The chunks would be signed with a key of version 4.
        case .streamingSigned, .streamingSignedTrailer: throw .invalidPayloadHash
        }
    }

    /// Covers every `x-amz-*` field (S3-TRAPS 31). The host is covered as far as it names the bucket.
    private func stringToSign(_ head: RequestHead) -> [UInt8] {
        var text = [UInt8](head.methodBytes)
        for line in [head.first("content-md5"), head.first("content-type"), expires[...]] {
            text.append(Ascii.lineFeed)
            text += line ?? []
        }
        text.append(Ascii.lineFeed)
        var fields: [(name: [UInt8], value: [UInt8])] = []
        for index in 0..<head.fieldCount {
            let field = head.field(at: index)
            guard Ascii.hasPrefixIgnoringCase(field.name, "x-amz-") else { continue }
            let name = Ascii.lowered(field.name)
            let value = [UInt8](Ascii.trimmed(field.value))
            if let known = fields.firstIndex(where: { $0.name == name }) {
                fields[known].value += [UInt8(ascii: ",")] + value
            } else {
                fields.append((name, value))
            }
        }
        for field in fields.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            text += field.name
            text.append(Ascii.colon)
            text += field.value
            text.append(Ascii.lineFeed)
        }
        return text + resource
    }

    private static let keyName = [UInt8]("AWSAccessKeyId".utf8)
    private static let expiresName = [UInt8]("Expires".utf8)
    private static let signatureName = [UInt8]("Signature".utf8)
    private static let credentialNames = [keyName, expiresName, signatureName]

    private static func set(_ names: [String]) -> Set<[UInt8]> { Set(names.map { [UInt8]($0.utf8) }) }

    private static func decoded(_ text: ArraySlice<UInt8>) throws(SignatureError) -> [UInt8] {
        guard let plain = PercentEncoding.decode(text, plusIsSpace: true) else { throw .malformedTarget }
        return [UInt8](plain)
    }
}
