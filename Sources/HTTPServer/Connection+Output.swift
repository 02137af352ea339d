import Bytes
internal import CLinux
import Files
import Glibc
import Synchronization
import Threads

/// Responses.
extension Connection {
    enum Outcome {
        /// The connection may carry another request.
        case kept
        case closing
        /// The response is incomplete.
        case cut
    }

    /// Bodies up to this size travel in one piece with the head.
    private static let joinedBytesMax = 64 * 1024
    /// Files up to this size are read instead: one `pread` and one `send` cost less than `send` and `sendfile`.
    private static let readFileBytesMax: UInt64 = 32 * 1024

    func send(_ response: Response, to head: RequestHead, at moment: Timestamp) async -> Outcome {
        let canKeep =
            skipBody() && head.keepsAlive && !response.closes && !core.isStopping.load(ordering: .relaxed)
        let isHead = head.method == .head
        let framing = Self.framing(of: response, to: head)
        let keeps = canKeep && framing != .untilClose
        let persistence: ResponseHead.Persistence =
            !keeps ? .close : head.minorVersion == 0 ? .keepAlive : .assumed
        budget = RateBudget(core.configuration)
        var room = 0
        if !isHead, case .length(let length) = framing, length <= Self.joinedBytesMax { room = Int(length) }
        var out = ResponseHead.encode(
            status: response.status, headers: response.headers, framing: framing, persistence: persistence,
            date: core.date.text(moment), room: room)
        do {
            if try isHead || framing == .none || join(response.body, to: &out) {
                try await sendJoined(out)
            } else {
                try await sendBody(of: response, after: out, framing: framing)
            }
            return keeps ? .kept : .closing
        } catch {
            return .cut
        }
    }

    private static func framing(of response: Response, to head: RequestHead) -> ResponseHead.Framing {
        if response.status == 204 || response.status == 304 { return .none }
        switch response.body {
        case .none: return .length(0)
        case .headOnly(let length): return .length(length)
        case .bytes(let bytes): return .length(UInt64(bytes.count))
        case .files(let slices):
            var total: UInt64 = 0
            for slice in slices { total = total.addingReportingOverflow(slice.length).partialValue }
            return .length(total)
        case .fileSequence(let length, _): return .length(length)
        case .stream(let length?, _): return .length(length)
        case .stream(nil, _): return head.minorVersion == 0 ? .untilClose : .chunked
        }
    }

    /// Appends a small body that is at hand to its head. False where it must follow by itself.
    private func join(_ body: Response.Body, to out: inout [UInt8]) throws -> Bool {
        switch body {
        case .none: return true
        case .bytes(let bytes):
            guard bytes.count <= Self.joinedBytesMax else { return false }
            out.append(contentsOf: bytes)
            return true
        case .files(let slices):
            guard slices.count == 1, slices[0].length <= Self.readFileBytesMax else { return false }
            try appendFile(slices[0], to: &out)
            return true
        case .headOnly, .fileSequence, .stream: return false
        }
    }

    /// Sends what mostly fits into the socket at once. A call that may wait costs a frame even where it does not.
    private func sendJoined(_ out: [UInt8]) async throws {
        if case .moved(let count) = sendSome(out, from: 0, more: false) {
            didSend(count)
            if count == out.count { return }
            try await sendAll(out, from: count)
        } else {
            // Said again by the second attempt, which also knows what to do.
            try await sendAll(out)
        }
    }

    private func sendBody(of response: Response, after out: [UInt8], framing: ResponseHead.Framing) async throws {
        switch response.body {
        case .none: break
        case .headOnly(let length):
            try await sendAll(out)
            // An answer to HEAD in response to another method: the promised bytes do not exist.
            if length > 0 { throw BodyError.disconnected }
        case .bytes(let bytes):
            try await sendAll(out, more: true)
            try await sendAll(bytes)
        case .files(let slices):
            try await sendAll(out, more: !slices.isEmpty)
            for slice in slices { try await sendFile(slice) }
        case .fileSequence(let length, let next):
            try await sendAll(out, more: length > 0)
            try await sendFiles(length: length, next)
        case .stream(let length, let write):
            try await sendAll(out)
            try await sendStream(length: length, isChunked: framing == .chunked, write)
        }
    }

    private func appendFile(_ slice: FileSlice, to out: inout [UInt8]) throws {
        let bytes = try pool.blocking { () throws(SystemError) in
            try slice.file.read(at: slice.offset, count: Int(slice.length))
        }
        if UInt64(bytes.count) != slice.length { throw BodyError.disconnected }
        out.append(contentsOf: bytes)
    }

    private func sendFile(_ slice: FileSlice) async throws {
        var (offset, left) = (slice.offset, slice.length)
        var turn = core.configuration.fileTurnBytes
        while left > 0 {
            if turn <= 0 {
                turn = core.configuration.fileTurnBytes
                await pool.yield()
            }
            let count = Int(min(left, UInt64(turn)))
            let transfer = try pool.blocking { try sendPiece(of: slice.file, at: offset, count: count) }
            switch transfer {
            case .moved(let sent):
                offset += UInt64(sent)
                left -= min(left, UInt64(sent))
                turn -= sent
                didSend(sent)
            case .ended: throw BodyError.disconnected
            case .mustWaitToRead, .mustWaitToWrite: try await waitToSend(for: transfer.interest)
            }
        }
    }

    private func sendFiles(length: UInt64, _ next: @Sendable () async throws -> FileSlice?) async throws {
        var left = length
        while left > 0 {
            // Other than was promised would be taken for the next response, or waited for.
            guard let slice = try await next(), slice.length <= left else { throw BodyError.malformed }
            try await sendFile(slice)
            left -= slice.length
        }
    }

    /// Through TLS a piece is read and encrypted, one record a call: what must be offered again is read again.
    /// So is one of a file that the kernel does not know.
    private func sendPiece(of file: any DiskFile, at offset: UInt64, count: Int) throws -> Transfer {
        if tls == nil, let source = file.kernelDescriptor {
            return PlainTransport.sendFile(descriptor, from: source, at: offset, count: count)
        }
        let bytes = try file.read(at: offset, count: min(count, TLSSession.recordBytesMax))
        if bytes.isEmpty { return .ended }
        return sendSome(bytes, from: 0, more: false)
    }

    private func sendStream(
        length: UInt64?, isChunked: Bool, _ write: @Sendable (BodyWriter) async throws -> Void
    ) async throws {
        let stream = OutputStream(self, left: length, isChunked: isChunked)
        defer { stream.end() }
        try await write(BodyWriter { bytes in try await stream.write(bytes) })
        try await stream.finish()
    }

    /// Sends all of `bytes`. Throws `BodyError`.
    func sendAll(_ bytes: [UInt8], from start: Int = 0, more: Bool = false) async throws {
        var done = start
        while true {
            let transfer = sendSome(bytes, from: done, more: more)
            switch transfer {
            case .moved(let count):
                done += count
                didSend(count)
                if done >= bytes.count { return }
            case .ended: throw BodyError.disconnected
            case .mustWaitToRead, .mustWaitToWrite: try await waitToSend(for: transfer.interest)
            }
        }
    }

    private func sendSome(_ bytes: [UInt8], from start: Int, more: Bool) -> Transfer {
        // SAFETY: start is at most the count; the pointer is used within the call only.
        unsafe bytes.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            if let tls { return unsafe tls.send(rest) }
            return unsafe PlainTransport.send(descriptor, rest, more: more)
        }
    }

    private func didSend(_ count: Int) {
        bytesSent += UInt64(count)
        budget.moved(count)
    }

    private func waitToSend(for interest: Interest) async throws {
        let start = Monotonic.milliseconds
        let wake = await wait(for: interest, until: budget.limit(now: start))
        budget.waited(Monotonic.milliseconds &- start)
        switch wake {
        case .ready: return
        case .late: throw BodyError.tooSlow
        case .stopping: throw BodyError.stopping
        }
    }
}
