import Bytes
import HTTPServer

/// Who calls the worker API.
struct WorkerCaller: Sendable {
    /// What stands before the worker's own name, so that a token's worker never passes for another's: the token's name, or
    /// `local` on the control socket.
    var group: String

    /// A worker that a gateway started itself, and that ends with it.
    static let supervised = "serve"

    /// The name that leases are given to. `name` is what the worker calls itself.
    func worker(_ name: String, isSupervised: Bool) -> String {
        isSupervised && group == Self.local.group ? "\(Self.supervised)/\(name)" : "\(group)/\(name)"
    }

    /// Whoever may open the control socket, which only the owner of the data folder may.
    static let local = WorkerCaller(group: "local")

    /// Throws 401 for a request without a known token in `Authorization: Bearer` (RFC 6750).
    static func bearing(_ head: RequestHead, among tokens: WorkerTokens) throws -> WorkerCaller {
        if let field = head.first("authorization"), Ascii.hasPrefixIgnoringCase(field, "bearer "),
            let name = try tokens.name(of: Ascii.trimmed(field.dropFirst(7)))
        {
            // No token may pass for the control socket.
            return WorkerCaller(group: "token:\(name)")
        }
        throw Problem(401, "Unauthorized", "This path wants a worker's token in Authorization: Bearer.")
    }
}
