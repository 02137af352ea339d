public import Bytes

/// Signs requests on the client's side, by header or by query.
public struct Signer: Sendable {
    public typealias Field = (name: [UInt8], value: [UInt8])

    private let accessKey: [UInt8]
    private let secret: [UInt8]
    private let region: [UInt8]

    public init(accessKey: some Sequence<UInt8>, secret: some Sequence<UInt8>, region: some Sequence<UInt8>) {
        self.accessKey = [UInt8](accessKey)
        self.secret = [UInt8](secret)
        self.region = [UInt8](region)
    }

    /// A request with its signature.
    public struct Signed {
        /// The fields given, and `x-amz-date`, `x-amz-content-sha256` and `Authorization`.
        public let fields: [Field]
        /// Frames the body, for the streaming modes.
        public let encoder: ChunkedEncoder?
    }

    /// Signs by header. `path` and `query` are as they go on the wire; `fields` holds `host`, and all of them are signed.
    /// Nil when a `%` in path or query lacks its digits.
    public func sign(
        method: String, path: [UInt8], query: [UInt8] = [], fields: [Field], payload: PayloadMode, at time: Timestamp
    ) -> Signed? {
        let timestamp = DateFormats.amz(time)
        var all = fields
        all.append((name: [UInt8]("x-amz-date".utf8), value: timestamp))
        all.append((name: [UInt8]("x-amz-content-sha256".utf8), value: payload.text))
        let (names, headers) = Self.canonicalHeaders(all)
        guard
            let canonical = Self.canonical(
                method: method, path: path, query: query, isPresigned: false, headers: headers, names: names,
                payloadHash: payload.text)
        else { return nil }
        let scope = scope(timestamp)
        let key = SigningKey.cached(secret: secret, date: timestamp[..<8], region: region[...])
        let signature = key.signature(
            of: SigningKey.stringToSign(timestamp: timestamp, scope: scope, canonicalRequest: canonical))
        var authorization = [UInt8]("AWS4-HMAC-SHA256 Credential=".utf8)
        authorization += accessKey + [Ascii.slash] + scope
        authorization += [UInt8](", SignedHeaders=".utf8) + names
        authorization += [UInt8](", Signature=".utf8) + signature
        all.append((name: [UInt8]("Authorization".utf8), value: authorization))
        var encoder: ChunkedEncoder?
        switch payload {
        case .sha256, .unsigned: break
        case .streamingUnsignedTrailer: encoder = ChunkedEncoder()
        case .streamingSigned, .streamingSignedTrailer:
            encoder = ChunkedEncoder(
                signing: ChunkSigning(key: key, timestamp: timestamp, scope: scope, seed: signature),
                hasTrailer: payload == .streamingSignedTrailer)
        }
        return Signed(fields: all, encoder: encoder)
    }

    /// The target (`path?query`) of a presigned URL. `query` is as on the wire, without its `?`; `fields` are those that the
    /// request will have to carry beside `host`. Nil when a `%` lacks its digits or `expires_s` lies outside 1...604800.
    public func presign(
        method: String, host: [UInt8], path: [UInt8], query: [UInt8] = [], fields: [Field] = [], expires_s: Int64,
        at time: Timestamp
    ) -> [UInt8]? {
        guard (1...PresignedQuery.expiresMax_s).contains(expires_s) else { return nil }
        let timestamp = DateFormats.amz(time)
        let scope = scope(timestamp)
        let (names, headers) = Self.canonicalHeaders(fields + [(name: [UInt8]("host".utf8), value: host)])
        var full = query
        func add(_ name: String, _ value: [UInt8]) {
            if !full.isEmpty { full.append(Ascii.ampersand) }
            full += name.utf8
            full.append(Ascii.equals)
            full += PercentEncoding.encode(value)
        }
        add("X-Amz-Algorithm", [UInt8]("AWS4-HMAC-SHA256".utf8))
        add("X-Amz-Credential", accessKey + [Ascii.slash] + scope)
        add("X-Amz-Date", timestamp)
        add("X-Amz-Expires", Ascii.decimal(of: UInt64(expires_s)))
        add("X-Amz-SignedHeaders", names)
        guard
            let canonical = Self.canonical(
                method: method, path: path, query: full, isPresigned: true, headers: headers, names: names,
                payloadHash: PayloadMode.unsigned.text)
        else { return nil }
        let key = SigningKey.cached(secret: secret, date: timestamp[..<8], region: region[...])
        add(
            "X-Amz-Signature",
            key.signature(of: SigningKey.stringToSign(timestamp: timestamp, scope: scope, canonicalRequest: canonical)))
        return path + [Ascii.question] + full
    }

    /// The signature of a POST policy, given as base 64, with the credential and date that go beside it as form fields.
    public func signPolicy(_ policy: [UInt8], at time: Timestamp) -> (
        credential: [UInt8], date: [UInt8], signature: [UInt8]
    ) {
        let timestamp = DateFormats.amz(time)
        let key = SigningKey.cached(secret: secret, date: timestamp[..<8], region: region[...])
        return (accessKey + [Ascii.slash] + scope(timestamp), timestamp, key.signature(of: policy))
    }

    private func scope(_ timestamp: [UInt8]) -> [UInt8] {
        [UInt8](timestamp[..<8]) + [Ascii.slash] + region + [UInt8]("/s3/aws4_request".utf8)
    }

    /// The names joined by `;`, and the fields in their order, names lower case.
    private static func canonicalHeaders(_ fields: [Field]) -> (names: [UInt8], headers: [Field]) {
        // The sort must be stable, as values of one name keep their order.
        let sorted = fields.enumerated()
            .map { (offset: $0.offset, name: Ascii.lowered($0.element.name), value: $0.element.value) }
            .sorted { a, b in
                a.name == b.name ? a.offset < b.offset : a.name.lexicographicallyPrecedes(b.name)
            }
        var names: [[UInt8]] = []
        for field in sorted where names.last != field.name { names.append(field.name) }
        return ([UInt8](names.joined(separator: [Ascii.semicolon])), sorted.map { (name: $0.name, value: $0.value) })
    }

    private static func canonical(
        method: String, path: [UInt8], query: [UInt8], isPresigned: Bool, headers: [Field], names: [UInt8],
        payloadHash: [UInt8]
    ) -> [UInt8]? {
        var canonical = CanonicalRequest()
        canonical.appendLine(method.utf8)
        do {
            try canonical.appendPath(path[...])
            try canonical.appendQuery(query[...], isPresigned: isPresigned)
        } catch { return nil }
        var last: [UInt8]?
        for field in headers {
            if field.name != last {
                if last != nil { canonical.endHeader() }
                canonical.beginHeader(field.name)
            }
            canonical.appendHeaderValue(field.value[...], isFirst: field.name != last)
            last = field.name
        }
        if last != nil { canonical.endHeader() }
        canonical.finish(signedHeaders: names, payloadHash: payloadHash)
        return canonical.bytes
    }
}
