import CCurl
public import Threads

/// Makes outgoing HTTP calls by libcurl. Redirects are not followed, proxies of the environment are not used.
public final class Fetcher: Sendable {
    private let pool: Pool

    public init(pool: Pool) { self.pool = pool }

    /// The version of the library that runs, such as "7.88.1".
    public static var libraryVersion: String {
        // SAFETY: a static string of the library.
        unsafe String(cString: ccurl_version())
    }

    /// Makes one call on a connection of its own. The calling pool thread blocks for its time.
    public func fetch(_ request: FetchRequest) async throws(HTTPClientError) -> FetchResponse {
        try pool.blocking { () throws(HTTPClientError) in try Self.perform(request) }
    }

    private static func perform(_ request: FetchRequest) throws(HTTPClientError) -> FetchResponse {
        let call = try Call(request)
        return try call.perform()
    }
}
