import Bytes

/// The signature of a browser's form upload (POST policy): it covers the policy's base 64 text.
public struct PostPolicySignature: Sendable {
    public var accessKey: [UInt8] { [UInt8](credential.accessKey) }

    private let credential: Credential
    private let policy: [UInt8]
    private let signature: [UInt8]

    /// The values of the form's fields `x-amz-algorithm`, `x-amz-credential`, `x-amz-date`, `x-amz-signature` and `policy`.
    public static func parse(
        algorithm: [UInt8], credential: [UInt8], date: [UInt8], signature: [UInt8], policy: [UInt8]
    ) throws(SignatureError) -> PostPolicySignature {
        guard Ascii.equal(algorithm[...], "AWS4-HMAC-SHA256") else {
            throw .malformed(.post, "x-amz-algorithm only supports \"AWS4-HMAC-SHA256\"")
        }
        let parsed = try Credential.parse(credential[...], .post)
        guard DateFormats.parseAmz(date) != nil, date.prefix(8).elementsEqual(parsed.date) else {
            throw .malformed(.post, "x-amz-date must be a time on the day that x-amz-credential names")
        }
        return PostPolicySignature(credential: parsed, policy: policy, signature: signature)
    }

    /// Checks the signature. The policy's own expiration and conditions are the caller's to check.
    public func verify(secret: [UInt8], configuration: SignatureConfiguration) throws(SignatureError) {
        guard credential.region.elementsEqual(configuration.region) else {
            throw .wrongRegion(
                .post, presented: String(ascii: credential.region.prefix(64)),
                expected: String(ascii: configuration.region))
        }
        // A policy's date is not bound to now, so its key is not kept: strangers could fill the memory.
        let key = SigningKey.derived(secret: secret, date: credential.date, region: credential.region)
        guard ConstantTime.equal(key.signature(of: policy), signature) else {
            throw .mismatch(
                SignatureMismatch(
                    accessKey: accessKey, stringToSign: policy, signatureProvided: signature, canonicalRequest: []))
        }
    }
}
