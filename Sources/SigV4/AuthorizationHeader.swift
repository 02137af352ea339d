import Bytes

/// `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`
struct AuthorizationHeader {
    let credential: Credential
    let signedHeaders: ArraySlice<UInt8>
    let signature: ArraySlice<UInt8>

    static func parse(_ value: ArraySlice<UInt8>) throws(SignatureError) -> AuthorizationHeader {
        let scheme = value[..<Ascii.place(of: Ascii.space, in: value, from: value.startIndex)]
        if Ascii.equal(scheme, "AWS") { throw .signatureVersion2 }
        guard Ascii.equal(scheme, "AWS4-HMAC-SHA256") else { throw .unsupportedAuthorizationType }
        var credential: ArraySlice<UInt8>?, signedHeaders: ArraySlice<UInt8>?, signature: ArraySlice<UInt8>?
        var start = scheme.endIndex
        while start <= value.endIndex {
            let end = Ascii.place(of: Ascii.comma, in: value, from: start)
            let item = Ascii.trimmed(value[start..<end])
            start = end + 1
            let equals = Ascii.place(of: Ascii.equals, in: item, from: item.startIndex)
            guard equals < item.endIndex else {
                throw .malformed(.header, "expecting Credential, SignedHeaders and Signature, each with a value")
            }
            let (name, text) = (item[..<equals], item[(equals + 1)...])
            if Ascii.equal(name, "Credential"), credential == nil {
                credential = text
            } else if Ascii.equal(name, "SignedHeaders"), signedHeaders == nil {
                signedHeaders = text
            } else if Ascii.equal(name, "Signature"), signature == nil {
                signature = text
            } else {
                throw .malformed(.header, "a part is unknown or doubled")
            }
        }
        guard let credential, let signedHeaders, let signature else {
            throw .malformed(.header, "Credential, SignedHeaders or Signature is missing")
        }
        return AuthorizationHeader(
            credential: try Credential.parse(credential, .header), signedHeaders: signedHeaders, signature: signature)
    }
}
