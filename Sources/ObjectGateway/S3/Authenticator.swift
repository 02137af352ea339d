import Bytes
import HTTPServer
import Metadata
import SigV4

/// What a request's signature proved, beside who sent it.
struct Authentication: Sendable {
    let payload: PayloadMode
}
struct Authenticator: Sendable {
    init(users: UserDirectory, configuration: GatewayConfiguration) {}
    func authenticate(_ head: RequestHead, now: Timestamp) async throws -> (Caller, Authentication) {
        throw S3Error(.accessDenied)
    }
}
