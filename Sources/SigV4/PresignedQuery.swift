import Bytes

/// The `X-Amz-*` parameters of a presigned URL.
struct PresignedQuery {
    let credential: Credential
    let date: ArraySlice<UInt8>
    /// 1...604800 seconds.
    let expires_s: Int64
    let signedHeaders: ArraySlice<UInt8>
    let signature: ArraySlice<UInt8>
    /// `X-Amz-Content-Sha256`, where it stands in the query.
    let payloadHash: ArraySlice<UInt8>?

    static let expiresMax_s: Int64 = 604_800

    /// Whether a query carries credentials, looked at before it is parsed.
    enum Presence {
        case none, version2, version4
    }

    /// The parameters that matter here, decoded.
    private struct Parameters {
        /// By lower-case name.
        var amz: [(name: [UInt8], value: ArraySlice<UInt8>)] = []
        var hasVersion2Key = false
        var hasVersion2Signature = false

        func value(_ name: StaticString) -> ArraySlice<UInt8>? {
            amz.first { $0.name.elementsEqual(name.description.utf8) }?.value
        }

        var presence: Presence {
            for (name, _) in amz where PresignedQuery.credentialNames.contains(name) { return .version4 }
            return hasVersion2Key && hasVersion2Signature ? .version2 : .none
        }
    }

    private static let credentialNames = ["x-amz-algorithm", "x-amz-credential", "x-amz-signature"]
        .map { [UInt8]($0.utf8) }

    static func presence(in query: ArraySlice<UInt8>) throws(SignatureError) -> Presence {
        query.isEmpty ? .none : try read(query).presence
    }

    /// Nil when the query carries no credentials.
    static func parse(_ query: ArraySlice<UInt8>) throws(SignatureError) -> PresignedQuery? {
        if query.isEmpty { return nil }
        let parameters = try read(query)
        switch parameters.presence {
        case .none: return nil
        case .version2: throw .signatureVersion2
        case .version4: break
        }
        for (index, one) in parameters.amz.enumerated()
        where parameters.amz[..<index].contains(where: { $0.name == one.name }) {
            throw .doubledCredentials
        }
        guard let algorithm = parameters.value("x-amz-algorithm"),
            let credential = parameters.value("x-amz-credential"), let date = parameters.value("x-amz-date"),
            let expires = parameters.value("x-amz-expires"),
            let signedHeaders = parameters.value("x-amz-signedheaders"),
            let signature = parameters.value("x-amz-signature")
        else {
            throw .malformed(
                .query,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
                    + "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
        }
        guard Ascii.equal(algorithm, "AWS4-HMAC-SHA256") else {
            throw .malformed(.query, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")
        }
        guard let seconds = Ascii.decimal(expires), seconds >= 1, seconds <= UInt64(expiresMax_s) else {
            throw .malformed(.query, "X-Amz-Expires must be a number between 1 and \(expiresMax_s) seconds")
        }
        return PresignedQuery(
            credential: try Credential.parse(credential, .query), date: date, expires_s: Int64(seconds),
            signedHeaders: signedHeaders, signature: signature, payloadHash: parameters.value("x-amz-content-sha256"))
    }

    private static func read(_ query: ArraySlice<UInt8>) throws(SignatureError) -> Parameters {
        var found = Parameters()
        for pair in Ascii.split(query, at: Ascii.ampersand) where !pair.isEmpty {
            let equals = pair.firstIndex(of: Ascii.equals)
            let name = try decoded(pair[..<(equals ?? pair.endIndex)])
            if Ascii.hasPrefixIgnoringCase(name, "x-amz-") {
                let raw = equals.map { pair[($0 + 1)...] } ?? []
                found.amz.append((name: Ascii.lowered(name), value: try decoded(raw)))
            } else if Ascii.equal(name, "AWSAccessKeyId") {
                found.hasVersion2Key = true
            } else if Ascii.equal(name, "Signature") {
                found.hasVersion2Signature = true
            }
        }
        return found
    }

    private static func decoded(_ text: ArraySlice<UInt8>) throws(SignatureError) -> ArraySlice<UInt8> {
        guard text.contains(where: { $0 == Ascii.percent || $0 == Ascii.plus }) else { return text }
        guard let plain = PercentEncoding.decode(text, plusIsSpace: true) else { throw .malformedTarget }
        return plain[...]
    }
}
