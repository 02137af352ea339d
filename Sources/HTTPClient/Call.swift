import CCurl

/// One easy handle and what it gathers, for one call on one thread.
@safe final class Call {
    private let handle: EasyHandle
    private let request: FetchRequest
    private var head: [UInt8] = []
    private var body: [UInt8] = []
    private var exceeded = false

    init(_ request: FetchRequest) throws(HTTPClientError) {
        handle = try EasyHandle()
        self.request = request
    }

    func perform() throws(HTTPClientError) -> FetchResponse {
        try configure()
        let code = try transfer()
        if exceeded { throw .responseTooLarge }
        guard code == CURLE_OK else { throw EasyHandle.error(code) }
        return FetchResponse(status: handle.status, headers: EasyHandle.fields(ofHead: head), body: body)
    }

    private func configure() throws(HTTPClientError) {
        try handle.prepare(
            method: request.method, url: request.url, headers: request.headers,
            connectTimeout: request.limits.connectTimeout)
        try handle.set(CURLOPT_TIMEOUT_MS, EasyHandle.milliseconds(request.limits.timeout))

        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        // SAFETY: both functions run inside curl_easy_perform only, during which `self` is alive.
        try handle.check(unsafe ccurl_set_pointer(handle.pointer, CURLOPT_WRITEDATA, context))
        try handle.check(unsafe ccurl_set_pointer(handle.pointer, CURLOPT_HEADERDATA, context))
        try handle.check(
            unsafe ccurl_set_receive(handle.pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                unsafe Call.receive(bytes, size, count, context) { unsafe $0.takeBody($1) }
            })
        try handle.check(
            unsafe ccurl_set_receive(handle.pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                unsafe Call.receive(bytes, size, count, context) { unsafe $0.takeHead($1) }
            })
    }

    private func transfer() throws(HTTPClientError) -> CURLcode {
        guard let bytes = request.body else { return unsafe curl_easy_perform(handle.pointer) }
        try handle.check(
            unsafe ccurl_set_size(handle.pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        // SAFETY: libcurl reads the body in place, within curl_easy_perform, during which it is lent.
        let code = unsafe bytes.withUnsafeBytes { lent in
            let empty = unsafe UnsafeMutableRawPointer(bitPattern: 1)
            let start = unsafe lent.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) } ?? empty
            let code = unsafe ccurl_set_pointer(handle.pointer, CURLOPT_POSTFIELDS, start)
            return unsafe code == CURLE_OK ? curl_easy_perform(handle.pointer) : code
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
}
