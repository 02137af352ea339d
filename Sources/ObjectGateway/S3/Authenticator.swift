import Bytes
import HTTPServer
import Metadata
import SigV4

/// The one entry of every request: says who sent it, or refuses it.
struct Authenticator: Sendable {
    private let users: UserDirectory
    private let signatures: SignatureConfiguration

    init(users: UserDirectory, configuration: GatewayConfiguration) {
        self.users = users
        signatures = SignatureConfiguration(region: configuration.region, skewMax: configuration.clockSkewMax)
    }

    /// Throws AccessDenied for a request without credentials, and S3's errors for every bad kind of them. An unknown access
    /// key takes as long as a wrong signature.
    func authenticate(_ head: RequestHead, now: Timestamp) async throws -> (Caller, AuthenticatedPayload) {
        guard let signed = try SignedRequest.parse(head: head) else { throw S3Error(.accessDenied) }
        guard let user = try await users.user(accessKey: signed.accessKey[...]) else {
            try signed.rejectUnknownKey(head: head, now: now, configuration: signatures)
            throw S3Error(.invalidAccessKeyID).adding("AWSAccessKeyId", signed.accessKey)
        }
        let payload = try signed.verify(secret: user.secret, head: head, now: now, configuration: signatures)
        if user.isDisabled { throw S3Error(.accessDenied, cause: "user \(user.name) is disabled") }
        return (
            Caller(name: user.name, accessKey: user.accessKey, policy: user.policy, customer: user.customer), payload
        )
    }
}
