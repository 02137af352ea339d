public import Bytes
import Digests
public import HTTPServer

/// Credentials that a request presents, read but not yet believed: `SignedRequest`, or `Version2Request`.
public protocol PresentedCredentials: Sendable {
    var accessKey: [UInt8] { get }

    /// Checks the signature over exactly what was sent, in the time that any other secret takes.
    /// Throws every `SignatureError`; what it returns is needed to take in the body.
    func verify(
        secret: [UInt8], head: RequestHead, now: Timestamp, configuration: SignatureConfiguration
    ) throws(SignatureError) -> AuthenticatedPayload
}

extension PresentedCredentials {
    /// Does the work of `verify` for an access key that nobody has, so that it takes as long as a wrong signature
    /// (S3-TRAPS 34). Throws what is wrong apart from the signature; otherwise the caller answers InvalidAccessKeyId.
    public func rejectUnknownKey(
        head: RequestHead, now: Timestamp, configuration: SignatureConfiguration
    ) throws(SignatureError) {
        do {
            _ = try verify(secret: nobodysSecret, head: head, now: now, configuration: configuration)
        } catch {
            if case .mismatch = error { return }
            throw error
        }
    }
}

/// Drawn once, so that its signing key is found in memory like a real one's.
private let nobodysSecret = Hex.encode(SecureRandom.bytes(20))
