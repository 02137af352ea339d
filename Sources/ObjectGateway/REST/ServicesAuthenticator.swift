import Bytes
import Digests
import HTTPServer
import Metadata

/// Says who sent a request to the services listener: `Authorization: Basic` (RFC 7617) or `X-API-Key`, both with
/// `access key:secret key`.
struct ServicesAuthenticator: Sendable {
    let users: UserDirectory

    /// Throws 401 for a request without credentials or with wrong ones, 403 for a user who is disabled. An unknown access
    /// key takes as long as a wrong secret.
    func authenticate(_ head: RequestHead) async throws -> Caller {
        guard let credentials = Self.credentials(of: head), let colon = credentials.firstIndex(of: Ascii.colon) else {
            throw Self.refusal
        }
        let found = try await users.user(accessKey: credentials[..<colon])
        let given = Digest.sha256([UInt8](credentials[(colon + 1)...]))
        // Digests are of one length, whatever the secrets are.
        let isRight = ConstantTime.equal(given, Digest.sha256(found?.secret ?? Self.nobody))
        guard let user = found, isRight else { throw Self.refusal }
        if user.isDisabled { throw Problem(403, "Forbidden", "This user is disabled.") }
        return Caller(name: user.name, accessKey: user.accessKey, policy: user.policy, customer: user.customer)
    }

    /// As long as a generated secret.
    private static let nobody = [UInt8](repeating: 0, count: 40)

    private static let refusal = Problem(
        401, "Unauthorized", "This path wants X-API-Key, or Basic authentication, with access key:secret key.")

    /// `X-API-Key` goes before.
    private static func credentials(of head: RequestHead) -> ArraySlice<UInt8>? {
        if let key = head.first("x-api-key") { return Ascii.trimmed(key) }
        guard let field = head.first("authorization"), Ascii.hasPrefixIgnoringCase(field, "basic ") else { return nil }
        return Base64.decode(Ascii.trimmed(field.dropFirst(6))).map { $0[...] }
    }
}
