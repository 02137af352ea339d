public import Bytes
import Digests
public import HTTPServer

/// Credentials of signature version 4, in the header or in the query.
public struct SignedRequest: PresentedCredentials {
    /// Header or query.
    public let form: SignatureError.Form
    public var accessKey: [UInt8] { [UInt8](credential.accessKey) }

    private let credential: Credential
    private let signedHeaders: ArraySlice<UInt8>
    private let signedNames: [ArraySlice<UInt8>]
    private let signature: ArraySlice<UInt8>
    /// `yyyymmddThhmmssZ` as it is signed.
    private let timestamp: ArraySlice<UInt8>
    private let time: Timestamp
    /// For the query form, in seconds.
    private let expires_s: Int64?
    private let payloadHash: ArraySlice<UInt8>
    private let mode: PayloadMode

    private static let signedHeadersCountMax = 256

    /// Reads the credentials of a request; nil when it carries none. Version 2 is refused here: see
    /// `Version2Request`. Decides nothing about them: `verify` must follow.
    public static func parse(head: RequestHead) throws(SignatureError) -> SignedRequest? {
        let query = head.query ?? []
        switch head.count(of: "authorization") {
        case 0:
            guard let presigned = try PresignedQuery.parse(query) else { return nil }
            return try SignedRequest(presigned, head)
        case 1:
            if try PresignedQuery.presence(in: query) != .none { throw .doubledCredentials }
            return try SignedRequest(AuthorizationHeader.parse(head.first("authorization") ?? []), head)
        default: throw .doubledCredentials
        }
    }

    private init(_ header: AuthorizationHeader, _ head: RequestHead) throws(SignatureError) {
        form = .header
        credential = header.credential
        signedHeaders = header.signedHeaders
        signedNames = try Self.names(header.signedHeaders, .header)
        signature = header.signature
        expires_s = nil
        try Self.refuseDoubled(head)
        if let amz = head.first("x-amz-date") {
            guard let parsed = DateFormats.parseAmz(amz) else { throw .missingDate }
            (timestamp, time) = (amz, parsed)
        } else {
            guard let date = head.first("date"), let parsed = DateFormats.parseHTTP(date) ?? DateFormats.parseAmz(date)
            else { throw .missingDate }
            (timestamp, time) = (DateFormats.amz(parsed)[...], parsed)
        }
        guard let hash = head.first("x-amz-content-sha256") else { throw .missingPayloadHash }
        (payloadHash, mode) = (hash, try PayloadMode.parse(hash))
        try checkScopeDate()
    }

    private init(_ presigned: PresignedQuery, _ head: RequestHead) throws(SignatureError) {
        form = .query
        credential = presigned.credential
        signedHeaders = presigned.signedHeaders
        signedNames = try Self.names(presigned.signedHeaders, .query)
        signature = presigned.signature
        expires_s = presigned.expires_s
        try Self.refuseDoubled(head)
        guard let parsed = DateFormats.parseAmz(presigned.date) else {
            throw .malformed(.query, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        }
        (timestamp, time) = (presigned.date, parsed)
        if let hash = presigned.payloadHash ?? head.first("x-amz-content-sha256") {
            (payloadHash, mode) = (hash, try PayloadMode.parse(hash))
        } else {
            (payloadHash, mode) = (PayloadMode.unsigned.text[...], .unsigned)
        }
        try checkScopeDate()
    }

    public func verify(
        secret: [UInt8], head: RequestHead, now: Timestamp, configuration: SignatureConfiguration
    ) throws(SignatureError) -> AuthenticatedPayload {
        guard credential.region.elementsEqual(configuration.region) else {
            throw .wrongRegion(
                form, presented: String(ascii: credential.region.prefix(64)),
                expected: String(ascii: configuration.region))
        }
        try checkTime(now, configuration)
        try checkSignedHeaders(head)
        let canonical = try canonicalRequest(head)
        let text = SigningKey.stringToSign(timestamp: timestamp, scope: credential.scope, canonicalRequest: canonical)
        let key = SigningKey.cached(secret: secret, date: credential.date, region: credential.region)
        let expected = key.signature(of: text)
        guard ConstantTime.equal(expected, signature) else {
            throw .mismatch(
                SignatureMismatch(
                    accessKey: accessKey, stringToSign: text, signatureProvided: [UInt8](signature),
                    canonicalRequest: canonical))
        }
        switch mode {
        case .streamingSigned, .streamingSignedTrailer:
            let chunks = ChunkSigning(key: key, timestamp: timestamp, scope: credential.scope, seed: expected)
            return AuthenticatedPayload(mode: mode, chunks: chunks)
        case .sha256, .unsigned, .streamingUnsignedTrailer: return AuthenticatedPayload(mode: mode, chunks: nil)
        }
    }

    private func checkScopeDate() throws(SignatureError) {
        guard timestamp.prefix(8).elementsEqual(credential.date) else {
            throw .malformed(form, "the date in the Credential differs from the date of the request")
        }
    }

    private func checkTime(_ now: Timestamp, _ configuration: SignatureConfiguration) throws(SignatureError) {
        let skew_ms = configuration.skewMax_ms
        // Both times lie within the years 0...9999, so the differences cannot overflow.
        let ahead_ms = time.milliseconds &- now.milliseconds
        if let expires_s {
            if ahead_ms > skew_ms { throw .notYetValid(validFrom: time, serverTime: now) }
            let end = Timestamp(milliseconds: time.milliseconds &+ expires_s &* 1000)
            if now > end { throw .expired(at: end, expires_s: expires_s, serverTime: now) }
        } else if ahead_ms > skew_ms || ahead_ms < -skew_ms {
            throw .requestTimeTooSkewed(requestTime: time, serverTime: now, skewMax_ms: skew_ms)
        }
    }

    /// `host` and every `x-amz-*` field must be signed (S3-TRAPS 31).
    private func checkSignedHeaders(_ head: RequestHead) throws(SignatureError) {
        guard signedNames.contains(where: { Ascii.equal($0, "host") }) else { throw .headersNotSigned("host") }
        var missing: [String] = []
        for index in 0..<head.fieldCount {
            let name = head.field(at: index).name
            guard Ascii.hasPrefixIgnoringCase(name, "x-amz-") else { continue }
            if !signedNames.contains(where: { Ascii.equalIgnoringCase($0, name) }) {
                missing.append(String(ascii: Ascii.lowered(name)))
            }
        }
        if !missing.isEmpty { throw .headersNotSigned(missing.joined(separator: ", ")) }
    }

    private func canonicalRequest(_ head: RequestHead) throws(SignatureError) -> [UInt8] {
        var canonical = CanonicalRequest()
        canonical.appendLine(head.methodBytes)
        try canonical.appendPath(head.path)
        try canonical.appendQuery(head.query ?? [], isPresigned: form == .query)
        for name in signedNames {
            canonical.beginHeader(name)
            var isFirst = true
            for index in 0..<head.fieldCount {
                let field = head.field(at: index)
                guard Ascii.equalIgnoringCase(field.name, name) else { continue }
                canonical.appendHeaderValue(field.value, isFirst: isFirst)
                isFirst = false
            }
            canonical.endHeader()
        }
        canonical.finish(signedHeaders: signedHeaders, payloadHash: payloadHash)
        return canonical.bytes
    }

    /// A list of lower-case tokens separated by `;`, none twice.
    private static func names(
        _ list: ArraySlice<UInt8>, _ form: SignatureError.Form
    ) throws(SignatureError) -> [ArraySlice<UInt8>] {
        let names = Ascii.split(list, at: Ascii.semicolon)
        guard names.count <= signedHeadersCountMax,
            names.allSatisfy({ name in
                !name.isEmpty && name.allSatisfy(isNameCharacter)
            })
        else { throw .malformed(form, "SignedHeaders must be lower-case names separated by \";\"") }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw .malformed(form, "SignedHeaders names a header twice")
        }
        return names
    }

    private static func isNameCharacter(_ c: UInt8) -> Bool {
        // Nearly every name is made of these; the question is asked of each character of each request.
        if Ascii.isLower(c) || c == Ascii.dash || Ascii.isDigit(c) { return true }
        return HeaderBlock.isTokenCharacter(c) && !Ascii.isUpper(c)
    }

    /// A field that decides what is signed, or how the body is read, has one value.
    private static func refuseDoubled(_ head: RequestHead) throws(SignatureError) {
        if head.count(of: "host") > 1 || head.count(of: "x-amz-date") > 1 || head.count(of: "x-amz-content-sha256") > 1
            || head.count(of: "x-amz-decoded-content-length") > 1
        {
            throw .doubledCredentials
        }
    }
}
