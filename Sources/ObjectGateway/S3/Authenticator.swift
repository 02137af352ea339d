import Bytes
import HTTPServer
import Metadata
import SigV4

/// The one entry of every request: says who sent it, or refuses it.
struct Authenticator: Sendable {
    private let users: UserDirectory
    private let signatures: SignatureConfiguration
    private let domains: [[UInt8]]

    init(users: UserDirectory, configuration: GatewayConfiguration) {
        self.users = users
        domains = configuration.domains.map { [UInt8]($0.utf8) }
        signatures = SignatureConfiguration(region: configuration.region, skewMax: configuration.clockSkewMax)
    }

    /// A request without credentials is anybody's. Throws S3's errors for every bad kind of them. An unknown access key takes as long as a
    /// wrong signature.
    func authenticate(_ head: RequestHead, now: Timestamp) async throws -> (Caller, AuthenticatedPayload) {
        let bucketInHost = head.first("host").flatMap { RequestTarget.bucketLabel(of: $0, domains: domains) }
        if let legacy = try Version2Request.parse(head: head, bucketInHost: bucketInHost) {
            return try await prove(legacy, head, now)
        }
        guard let signed = try SignedRequest.parse(head: head) else {
            let mode = try head.first("x-amz-content-sha256").map { field throws(SignatureError) in
                try PayloadMode.parse(field)
            }
            return (.anonymous, try .anonymous(mode ?? .unsigned))
        }
        return try await prove(signed, head, now)
    }

    private func prove(
        _ presented: some PresentedCredentials, _ head: RequestHead, _ now: Timestamp
    ) async throws -> (Caller, AuthenticatedPayload) {
        let accessKey = presented.accessKey
        // Mostly in memory; a call that may wait costs a frame even where it does not.
        var (found, isAnswered) = users.known(accessKey: accessKey)
        if !isAnswered { found = try await users.user(accessKey: accessKey[...]) }
        guard let user = found else {
            try presented.rejectUnknownKey(head: head, now: now, configuration: signatures)
            throw S3Error(.invalidAccessKeyID).adding("AWSAccessKeyId", accessKey)
        }
        let payload = try presented.verify(secret: user.secret, head: head, now: now, configuration: signatures)
        if user.isDisabled { throw S3Error(.accessDenied, cause: "user \(user.name) is disabled") }
        return (
            Caller(name: user.name, accessKey: user.accessKey, policy: user.policy, customer: user.customer), payload
        )
    }
}
