import CCurl

/// One easy handle and what it gathers, for one call on one thread.
@safe final class Call {
    private let handle: UnsafeMutableRawPointer
    private let request: FetchRequest
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var head: [UInt8] = []
    private var body: [UInt8] = []
    private var exceeded = false

    init(_ request: FetchRequest) throws(HTTPClientError) {
        guard let handle = unsafe curl_easy_init() else {
            throw .failed(code: CURLE_FAILED_INIT.rawValue, "no handle")
        }
        unsafe self.handle = handle
        self.request = request
        unsafe self.headerList = nil
    }

    deinit {
        // SAFETY: owned by this object alone; the list outlives the handle that reads it.
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headerList)
    }

    func perform() throws(HTTPClientError) -> FetchResponse {
        try configure()
        let code = try transfer()
        if exceeded { throw .responseTooLarge }
        guard code == CURLE_OK else { throw Self.error(code) }
        var status = 0
        // SAFETY: `status` is lent for the call.
        unsafe ccurl_status(handle, &status)
        return FetchResponse(status: status, headers: Self.parse(head), body: body)
    }

    private func configure() throws(HTTPClientError) {
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_CUSTOMREQUEST, request.method)
        if request.method == "HEAD" { try set(CURLOPT_NOBODY, 1) }
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NETRC, 0)
        // Signals are the process's, not a library's.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.limits.connectTimeout))
        try set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.limits.timeout))
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try setHeaders()

        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        // SAFETY: both functions run inside curl_easy_perform only, during which `self` is alive.
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context))
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context))
        try check(
            unsafe ccurl_set_receive(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                unsafe Call.receive(bytes, size, count, context) { unsafe $0.takeBody($1) }
            })
        try check(
            unsafe ccurl_set_receive(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                unsafe Call.receive(bytes, size, count, context) { unsafe $0.takeHead($1) }
            })
    }

    private func setHeaders() throws(HTTPClientError) {
        // An Expect of libcurl's own would add a round trip to each larger body.
        var lines = ["Expect:"]
        for header in request.headers {
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
        try check(unsafe ccurl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList))
    }

    private func transfer() throws(HTTPClientError) -> CURLcode {
        guard let bytes = request.body else { return unsafe curl_easy_perform(handle) }
        try check(unsafe ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        // SAFETY: libcurl reads the body in place, within curl_easy_perform, during which it is lent.
        let code = unsafe bytes.withUnsafeBytes { lent in
            let empty = unsafe UnsafeMutableRawPointer(bitPattern: 1)
            let start = unsafe lent.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) } ?? empty
            let code = unsafe ccurl_set_pointer(handle, CURLOPT_POSTFIELDS, start)
            return unsafe code == CURLE_OK ? curl_easy_perform(handle) : code
        }
        return code
    }

    /// Takes the bytes that libcurl hands over. Fewer taken than given end the transfer with CURLE_WRITE_ERROR.
    private static func receive(
        _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ take: (Call, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        guard let context = unsafe context, !overflow else { return 0 }
        // SAFETY: `context` is the Call that runs this transfer.
        let call = unsafe Unmanaged<Call>.fromOpaque(context).takeUnretainedValue()
        return unsafe take(call, UnsafeRawBufferPointer(start: bytes, count: total)) ? total : 0
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= request.limits.bodyBytesMax - body.count else {
            exceeded = true
            return false
        }
        // SAFETY: copied before the call returns.
        unsafe body.append(contentsOf: bytes)
        return true
    }

    private func takeHead(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A status line begins a new head: what came before was a 1xx.
        let isStatusLine = unsafe bytes.starts(with: Array("HTTP/".utf8))
        if isStatusLine { head.removeAll(keepingCapacity: true) }
        guard bytes.count <= request.limits.headBytesMax - head.count else {
            exceeded = true
            return false
        }
        // SAFETY: copied before the call returns.
        unsafe head.append(contentsOf: bytes)
        return true
    }

    private static func parse(_ head: [UInt8]) -> [(name: String, value: String)] {
        head.split(whereSeparator: { $0 == 0x0a }).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: 0x3a) else { return nil }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[line.index(after: colon)...]
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
            let trimmed = value.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            return (name, String(decoding: trimmed, as: UTF8.self))
        }
    }

    private static func error(_ code: CURLcode) -> HTTPClientError {
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

    /// At least 1: 0 would mean no limit.
    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return max(1, Int(clamping: min(seconds, 1 << 40) * 1000 + attoseconds / 1_000_000_000_000_000))
    }

    private func set(_ option: CURLoption, _ value: String) throws(HTTPClientError) {
        // SAFETY: libcurl copies the text.
        try check(unsafe ccurl_set_string(handle, option, value))
    }

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPClientError) {
        // SAFETY: a plain number.
        try check(unsafe ccurl_set_long(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(HTTPClientError) {
        if code != CURLE_OK { throw Self.error(code) }
    }
}
