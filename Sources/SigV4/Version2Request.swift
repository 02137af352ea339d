public import Bytes
import Digests
public import HTTPServer

/// A request signed by version 2 (userguide/RESTAuthentication): a presigned URL, as aws-cli 1 and boto3 make for us-east-1
/// unless they are told otherwise, or the `Authorization: AWS key:signature` of old clients and appliances.
public struct Version2Request: PresentedCredentials {
    public let accessKey: [UInt8]
    private let signature: [UInt8]
    /// The line of what is signed that says when: `Expires`, or `Date`, or empty where `x-amz-date` is signed instead.
    private let dateLine: [UInt8]
    private let validity: Validity
    /// Bucket, path and the signed parameters.
    private let resource: [UInt8]

    private enum Validity: Sendable {
        case until(Timestamp)
        /// The date of the request, which must lie near the server's.
        case around(Timestamp)
    }

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
    ) throws(SignatureError) -> Version2Request? {
        let query = head.query ?? []
        let isPresigned = try PresignedQuery.presence(in: query) == .version2
        guard head.count(of: "authorization") > 0 else {
            return isPresigned ? try Version2Request(presigned: head, query, bucketInHost) : nil
        }
        guard let text = head.first("authorization"), Ascii.hasPrefix(text, "AWS ") else {
            if isPresigned { throw .doubledCredentials }
            return nil
        }
        guard !isPresigned, head.count(of: "authorization") == 1, try PresignedQuery.presence(in: query) == .none else {
            throw .doubledCredentials
        }
        return try Version2Request(head, Ascii.trimmed(text.dropFirst(4)), query, bucketInHost)
    }

    /// The header form; `credentials` are `key:signature`.
    private init(
        _ head: RequestHead, _ credentials: ArraySlice<UInt8>, _ query: ArraySlice<UInt8>,
        _ bucketInHost: ArraySlice<UInt8>?
    ) throws(SignatureError) {
        guard let colon = credentials.lastIndex(of: Ascii.colon), colon > credentials.startIndex else {
            throw .unsupportedAuthorizationType
        }
        accessKey = [UInt8](credentials[..<colon])
        signature = [UInt8](credentials[(colon + 1)...])
        let amz = head.first("x-amz-date")
        guard let date = amz ?? head.first("date"),
            let moment = DateFormats.parseHTTP(date) ?? DateFormats.parseAmz(date)
        else { throw .missingDate }
        dateLine = amz == nil ? [UInt8](date) : []
        validity = .around(moment)
        resource = try Self.parameters(query).resource(head, bucketInHost)
    }

    private init(
        presigned head: RequestHead, _ query: ArraySlice<UInt8>, _ bucketInHost: ArraySlice<UInt8>?
    ) throws(SignatureError) {
        let parameters = try Self.parameters(query)
        let own = parameters.own
        guard let key = own[Self.keyName], let signature = own[Self.signatureName],
            let expires = own[Self.expiresName], let seconds = Ascii.decimal(expires), seconds <= Self.expiresMax_s
        else {
            throw .malformed(
                .query,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
        }
        accessKey = key
        self.signature = signature
        dateLine = expires
        validity = .until(Timestamp(milliseconds: Int64(seconds) * 1000))
        resource = parameters.resource(head, bucketInHost)
    }

    private struct Parameters {
        /// The credentials.
        var own: [[UInt8]: [UInt8]] = [:]
        /// What is signed, `name` or `name=value`.
        var covered: [(name: [UInt8], text: [UInt8])] = []

        func resource(_ head: RequestHead, _ bucketInHost: ArraySlice<UInt8>?) -> [UInt8] {
            var resource: [UInt8] = []
            if let bucketInHost { resource += [Ascii.slash] + Ascii.lowered(bucketInHost) }
            resource += head.path
            let sorted = covered.sorted { $0.name.lexicographicallyPrecedes($1.name) }
            for (place, parameter) in sorted.enumerated() {
                resource.append(place == 0 ? UInt8(ascii: "?") : Ascii.ampersand)
                resource += parameter.text
            }
            return resource
        }
    }

    private static func parameters(_ query: ArraySlice<UInt8>) throws(SignatureError) -> Parameters {
        var own: [[UInt8]: [UInt8]] = [:]
        var covered: [(name: [UInt8], text: [UInt8])] = []
        for pair in Ascii.split(query, at: Ascii.ampersand) where !pair.isEmpty {
            let equals = pair.firstIndex(of: Ascii.equals)
            let name = try decoded(pair[..<(equals ?? pair.endIndex)])
            let value = try equals.map { index throws(SignatureError) in try decoded(pair[(index + 1)...]) }
            if credentialNames.contains(name) {
                guard own.updateValue(value ?? [], forKey: name) == nil else { throw .doubledCredentials }
            } else if signed.contains(name) {
                guard !covered.contains(where: { $0.name == name }) else { throw .doubledCredentials }
                covered.append((name, name + (value.map { [Ascii.equals] + $0 } ?? [])))
            } else if !harmless.contains(name) {
                throw .headersNotSigned(String(ascii: name.prefix(64)))
            }
        }
        // Version 2 signs values decoded and joined, so a file name that holds `&acl` reads like a parameter of its own.
        let others: [[UInt8]] = [[UInt8]("versionId".utf8), [UInt8]("partNumber".utf8)]
        if covered.contains(where: { isOverride($0.name) }),
            let foreign = covered.first(where: { !isOverride($0.name) && !others.contains($0.name) })
        {
            throw .headersNotSigned(String(ascii: foreign.name))
        }
        return Parameters(own: own, covered: covered)
    }

    public func verify(
        secret: [UInt8], head: RequestHead, now: Timestamp, configuration: SignatureConfiguration
    ) throws(SignatureError) -> AuthenticatedPayload {
        switch validity {
        case .until(let end): if now > end { throw .expired(at: end, expires_s: 0, serverTime: now) }
        case .around(let date):
            // Both lie within the years 0...9999.
            let skew_ms = date.milliseconds &- now.milliseconds
            if skew_ms > configuration.skewMax_ms || skew_ms < -configuration.skewMax_ms {
                throw .requestTimeTooSkewed(
                    requestTime: date, serverTime: now, skewMax_ms: configuration.skewMax_ms)
            }
        }
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
        for line in [head.first("content-md5"), head.first("content-type"), dateLine[...]] {
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

    private static func isOverride(_ name: [UInt8]) -> Bool { name.starts(with: "response-".utf8) }

    private static func decoded(_ text: ArraySlice<UInt8>) throws(SignatureError) -> [UInt8] {
        guard let plain = PercentEncoding.decode(text, plusIsSpace: true) else { throw .malformedTarget }
        return [UInt8](plain)
    }
}
