import CCurl
public import Threads

/// Makes outgoing HTTP calls by libcurl. Redirects are not followed, proxies of the environment are not used.
public final class Fetcher: Sendable {
    private let pool: Pool

    /// Done once, by whichever thread comes first, before any other call into libcurl.
    private static let started: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

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
        guard started else { throw .failed(code: CURLE_FAILED_INIT.rawValue, "libcurl did not start") }
        try refuseControlCharacters(request)
        let call = try Call(request)
        return try call.perform()
    }

    /// libcurl sends header lines as they are: a line break inside one would make another line or another request.
    private static func refuseControlCharacters(_ request: FetchRequest) throws(HTTPClientError) {
        func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } }
        guard isClean(request.url) else { throw .unusableURL("it contains a control character") }
        guard !request.method.isEmpty, request.method.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5a }) else {
            throw .unusableHeader("method")
        }
        for header in request.headers where !isClean(header.name) || !isClean(header.value) || header.name.isEmpty {
            throw .unusableHeader(header.name.filter { $0.isLetter || $0.isNumber || $0 == "-" })
        }
    }
}
