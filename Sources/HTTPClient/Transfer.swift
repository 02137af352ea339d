import CCurl
import Glibc
import Threads

/// One request and its response under way. Its handle is the loop's; what the loop and the reader share is `state`.
// @unchecked: `handle`, `headBytes`, `sent` and the marks beside them are touched by the loop's thread only once the transfer was handed to it.
@safe final class Transfer: @unchecked Sendable {
    struct Head: Sendable {
        var status: Int
        var headers: [(name: String, value: String)]
    }

    fileprivate struct State {
        var head: Head?
        /// Of the body, not taken yet.
        var pieces: [[UInt8]] = []
        /// Where in `pieces` the next one stands.
        var next = 0
        var waitingBytes = 0
        /// libcurl keeps bytes back until it is told that there is room.
        var isPaused = false
        var ended: Result<Void, HTTPClientError>?
        var waiter: Waiter<Void>?
    }

    let handle: EasyHandle
    private let loop: TransferLoop
    private let limits: StreamLimits
    private let body: [UInt8]
    private let parts: [BodyPart]
    private let length: UInt64
    private var sent: UInt64 = 0
    private var metPrivateAddress = false
    private var headBytes: [UInt8] = []
    private var headIsTooLong = false
    private let state = Lock(State())

    init(_ request: StreamRequest, loop: TransferLoop) throws(HTTPClientError) {
        handle = try EasyHandle()
        self.loop = loop
        limits = request.limits
        body = request.body ?? []
        parts = request.parts
        length = parts.reduce(UInt64(body.count)) { $0 &+ $1.size }
        try configure(request)
    }

    private func configure(_ request: StreamRequest) throws(HTTPClientError) {
        try handle.prepare(
            method: request.method, url: request.url, headers: request.headers, connectTimeout: limits.connectTimeout)
        if let path = request.unixSocket { try handle.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let timeout = limits.timeout { try handle.set(CURLOPT_TIMEOUT_MS, EasyHandle.milliseconds(timeout)) }
        let idle_s = max(1, (EasyHandle.milliseconds(limits.idleTimeout) + 999) / 1000)
        try handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try handle.set(CURLOPT_LOW_SPEED_TIME, idle_s)
        try handle.set(CURLOPT_BUFFERSIZE, Self.pieceBytes)
        try handle.set(CURLOPT_UPLOAD_BUFFERSIZE, Self.pieceBytes)
        try handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let pointer = unsafe handle.pointer
        // SAFETY: the loop keeps this object as long as libcurl may call these.
        try handle.check(unsafe ccurl_set_pointer(pointer, CURLOPT_WRITEDATA, context))
        try handle.check(unsafe ccurl_set_pointer(pointer, CURLOPT_HEADERDATA, context))
        try handle.check(
            unsafe ccurl_set_receive(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                unsafe Transfer.of(context)?.takeBody(bytes, size &* count) ?? 0
            })
        try handle.check(
            unsafe ccurl_set_receive(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                unsafe Transfer.of(context)?.takeHead(bytes, size &* count) ?? 0
            })
        if request.isPublicOnly {
            try handle.check(unsafe ccurl_set_pointer(pointer, CURLOPT_OPENSOCKETDATA, context))
            try handle.check(
                unsafe ccurl_set_open_socket(pointer) { context, _, address in
                    guard let address = unsafe address else { return -1 }
                    return unsafe Transfer.of(context)?.openSocket(to: address) ?? -1
                })
        }
        guard request.body != nil else { return }
        try handle.set(CURLOPT_UPLOAD, 1)
        try handle.check(unsafe ccurl_set_size(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(clamping: length)))
        try handle.check(unsafe ccurl_set_pointer(pointer, CURLOPT_READDATA, context))
        try handle.check(unsafe ccurl_set_pointer(pointer, CURLOPT_SEEKDATA, context))
        try handle.check(
            unsafe ccurl_set_receive(pointer, CURLOPT_READFUNCTION) { room, size, count, context in
                unsafe Transfer.of(context)?.give(room, size &* count) ?? Int(CURL_READFUNC_ABORT)
            })
        // A kept connection that the server had closed is replaced, and the body begun again.
        try handle.check(
            unsafe ccurl_set_seek(pointer) { context, offset, origin in
                unsafe Transfer.of(context)?.seek(to: Int(offset), origin) ?? CURL_SEEKFUNC_FAIL
            })
    }

    /// What libcurl moves at once.
    private static let pieceBytes = 128 << 10

    private static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        // SAFETY: `context` is the transfer that libcurl runs, which the loop keeps.
        unsafe context.map { unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Called by libcurl, on the loop's thread

    private func give(_ room: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let room = unsafe room, sent < length else { return 0 }
        // SAFETY: libcurl lends `count` bytes of room for the call.
        let place = unsafe UnsafeMutableRawBufferPointer(start: room, count: count)
        var start = UInt64(body.count)
        if sent < start {
            let piece = body[Int(sent)...].prefix(count)
            unsafe place.copyBytes(from: piece)
            sent += UInt64(piece.count)
            return piece.count
        }
        for part in parts {
            let end = start &+ part.size
            if sent < end {
                let wanted = Int(min(UInt64(count), end - sent))
                let piece = part.read(at: sent - start, count: wanted)
                guard piece.count == wanted else { return Int(CURL_READFUNC_ABORT) }
                unsafe place.copyBytes(from: piece)
                sent += UInt64(wanted)
                return wanted
            }
            start = end
        }
        return 0
    }

    /// A socket for a connection, or -1 where the address is not to be reached. The name was resolved before, so that no second
    /// answer of a name server comes between the look and the connection.
    private func openSocket(to address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let (family, kind, number) = unsafe (
            address.pointee.family, address.pointee.socktype, address.pointee.protocol
        )
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
        // SAFETY: libcurl says that `addrlen` bytes of address stand there.
        let bytes = unsafe [UInt8](
            UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + offset, count: Int(address.pointee.addrlen)))
        guard !PrivateAddress.isPrivate(family: family, address: bytes) else {
            metPrivateAddress = true
            return -1
        }
        return socket(family, kind | Int32(SOCK_CLOEXEC.rawValue), number)
    }

    private func seek(to offset: Int, _ origin: Int32) -> Int32 {
        guard origin == SEEK_SET, let place = UInt64(exactly: offset), place <= length else {
            return CURL_SEEKFUNC_CANTSEEK
        }
        sent = place
        return CURL_SEEKFUNC_OK
    }

    private func takeHead(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        // A status line begins a new head: what came before was a 1xx.
        if unsafe line.starts(with: Self.statusLine) { headBytes.removeAll(keepingCapacity: true) }
        guard count <= limits.headBytesMax - headBytes.count else {
            headIsTooLong = true
            return 0
        }
        // SAFETY: copied before the call returns.
        unsafe headBytes.append(contentsOf: line)
        let isBlank = unsafe line.allSatisfy { $0 == 0x0D || $0 == 0x0A }
        let status = handle.status
        if isBlank, status >= 200 { arrive(status) }
        return count
    }

    private static let statusLine = Array("HTTP/".utf8)

    private func arrive(_ status: Int) {
        let head = Head(status: status, headers: EasyHandle.fields(ofHead: headBytes))
        let waiter = state.withLock { state -> Waiter<Void>? in
            // Trailers end with a blank line too.
            guard state.head == nil else { return nil }
            state.head = head
            return state.waiter.take()
        }
        waiter?.resume(())
    }

    private func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        if count == 0 { return 0 }
        let hasRoom = state.withLock { state in
            state.isPaused = state.waitingBytes >= limits.windowBytes
            return !state.isPaused
        }
        guard hasRoom else { return Int(CURL_WRITEFUNC_PAUSE) }
        // SAFETY: copied before the call returns.
        let piece = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
        let waiter = state.withLock { state in
            state.pieces.append(piece)
            state.waitingBytes += count
            return state.waiter.take()
        }
        waiter?.resume(())
        return count
    }

    /// Called by the loop, once, when it has let go of the handle. Nil: the session is closed.
    func end(_ code: CURLcode?) {
        let result: Result<Void, HTTPClientError> =
            switch code {
            case nil: .failure(.closed)
            case _ where headIsTooLong: .failure(.responseTooLarge)
            case CURLE_COULDNT_CONNECT? where metPrivateAddress: .failure(.privateAddress)
            case CURLE_OK?: .success(())
            case let code?: .failure(EasyHandle.error(code))
            }
        let waiter = state.withLock { state in
            state.ended = result
            return state.waiter.take()
        }
        waiter?.resume(())
    }

    // MARK: Called by the reader

    func head() async throws(HTTPClientError) -> Head {
        while true {
            let (head, ended) = state.withLock { ($0.head, $0.ended) }
            if let head { return head }
            if let ended {
                try ended.get()
                throw .failed(code: CURLE_GOT_NOTHING.rawValue, "no head")
            }
            await untilChanged { $0.head != nil }
        }
    }

    func next() async throws(HTTPClientError) -> [UInt8]? {
        while true {
            let (piece, resumes, ended) = state.withLock { state in state.take(windowBytes: limits.windowBytes) }
            if resumes { loop.take(.resume(self)) }
            if let piece { return piece }
            if let ended {
                try ended.get()
                return nil
            }
            await untilChanged { $0.next < $0.pieces.count }
        }
    }

    /// Nobody reads any more.
    func abandon() {
        let isOver = state.withLock { state in
            (state.pieces, state.next) = ([], 0)
            return state.ended != nil
        }
        if !isOver { loop.take(.cancel(self)) }
    }

    private func untilChanged(_ isThere: (State) -> Bool) async {
        await Waiter<Void>.suspend { waiter in
            let isReady = state.withLock { state in
                if state.ended != nil || isThere(state) { return true }
                state.waiter = waiter
                return false
            }
            if isReady { waiter.resume(()) }
        }
    }
}

extension Transfer.State {
    /// The next piece; whether the loop must be told that there is room; how it ended, where no piece is left.
    fileprivate mutating func take(
        windowBytes: Int
    ) -> (piece: [UInt8]?, resumes: Bool, ended: Result<Void, HTTPClientError>?) {
        guard next < pieces.count else { return (nil, false, ended) }
        let piece = pieces[next]
        pieces[next] = []
        next += 1
        if next == pieces.count { (pieces, next) = ([], 0) }
        waitingBytes -= piece.count
        let resumes = isPaused && waitingBytes <= windowBytes / 2
        if resumes { isPaused = false }
        return (piece, resumes, nil)
    }
}
