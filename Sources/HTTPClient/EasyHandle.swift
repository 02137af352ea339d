import CCurl

/// Owns one easy handle of libcurl and the header lines that it reads. For one thread at a time.
@safe final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?

    init() throws(HTTPClientError) {
        guard Self.started, let pointer = unsafe curl_easy_init() else {
            throw .failed(code: CURLE_FAILED_INIT.rawValue, "libcurl did not start")
        }
        unsafe self.pointer = pointer
        unsafe headerList = nil
    }

    deinit {
        // SAFETY: owned by this object alone; the list outlives the handle that reads it.
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headerList)
    }

    /// Done once, by whichever thread comes first, before any other call into libcurl.
    static let started: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// What every outgoing request has in common: http or https only, no redirects, no proxy, no password file, HTTP/1.1.
    /// Throws `unusableURL` and `unusableHeader` for what could split the request in two.
    func prepare(
        method: String, url: String, headers: [(name: String, value: String)], connectTimeout: Duration
    ) throws(HTTPClientError) {
        try Self.refuseControlCharacters(method, url, headers)
        try set(CURLOPT_URL, url)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_CUSTOMREQUEST, method)
        if method == "HEAD" { try set(CURLOPT_NOBODY, 1) }
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NETRC, 0)
        // Signals are the process's, not a library's.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(connectTimeout))
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try setHeaders(headers)
    }

    private func setHeaders(_ headers: [(name: String, value: String)]) throws(HTTPClientError) {
        // An Expect of libcurl's own would add a round trip to each larger body.
        var lines = ["Expect:"]
        for header in headers {
            // "Name;" is libcurl's way to say a header with an empty value.
            lines.append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        for line in lines {
            // SAFETY: the list copies the line; a null result leaves the old list valid.
            guard let longer = unsafe curl_slist_append(headerList, line) else {
                throw .failed(code: CURLE_OUT_OF_MEMORY.rawValue, "no memory for headers")
            }
            unsafe headerList = longer
        }
        try check(unsafe ccurl_set_pointer(pointer, CURLOPT_HTTPHEADER, headerList))
    }

    /// libcurl sends header lines as they are: a line break inside one would make another line or another request.
    private static func refuseControlCharacters(
        _ method: String, _ url: String, _ headers: [(name: String, value: String)]
    ) throws(HTTPClientError) {
        func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } }
        guard isClean(url) else { throw .unusableURL("it contains a control character") }
        guard !method.isEmpty, method.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5a }) else {
            throw .unusableHeader("method")
        }
        for header in headers where !isClean(header.name) || !isClean(header.value) || header.name.isEmpty {
            throw .unusableHeader(header.name.filter { $0.isLetter || $0.isNumber || $0 == "-" })
        }
    }

    // MARK: Options

    func set(_ option: CURLoption, _ value: String) throws(HTTPClientError) {
        // SAFETY: libcurl copies the text.
        try check(unsafe ccurl_set_string(pointer, option, value))
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPClientError) {
        // SAFETY: a plain number.
        try check(unsafe ccurl_set_long(pointer, option, value))
    }

    func check(_ code: CURLcode) throws(HTTPClientError) {
        if code != CURLE_OK { throw Self.error(code) }
    }

    /// At least 1: 0 would mean no limit.
    static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return max(1, Int(clamping: min(seconds, 1 << 40) * 1000 + attoseconds / 1_000_000_000_000_000))
    }

    // MARK: Answers

    /// Of the response whose head came last; 0 before.
    var status: Int {
        var status = 0
        // SAFETY: `status` is lent for the call.
        unsafe ccurl_status(pointer, &status)
        return status
    }

    /// The fields of a head, names in lower case. Lines without a colon are passed over.
    static func fields(ofHead head: [UInt8]) -> [(name: String, value: String)] {
        head.split(whereSeparator: { $0 == 0x0a }).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: 0x3a) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[line.index(after: colon)...]
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
            let trimmed = value.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            return (name, String(decoding: trimmed, as: UTF8.self))
        }
    }

    static func error(_ code: CURLcode) -> HTTPClientError {
        // SAFETY: a static text of the library.
        let reason = unsafe String(cString: curl_easy_strerror(code))
        return switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .unusableURL(reason)
        case CURLE_COULDNT_RESOLVE_HOST: .unresolvedHost(reason)
        case CURLE_COULDNT_CONNECT: .notConnected(reason)
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE: .tls(reason)
        default: .failed(code: code.rawValue, reason)
        }
    }
}
