internal import CLinux
import Glibc
import Threads

/// Bodies of requests.
extension Connection {
    func readBody(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool {
        if mustContinue {
            mustContinue = false
            // A client that sends already needs no invitation.
            if input == nil { try await sendAll(ResponseHead.continuation) }
        }
        while true {
            var transfer = Transfer.mustWaitToRead
            switch body {
            case .none: return false
            case .broken: throw BodyError.malformed
            case .length(let left):
                transfer = try takeBytes(left, consume)
                if case .moved = transfer { return true }
            case .chunked(var decoder):
                if let input, !input.isEmpty {
                    if try takeChunk(&decoder, input, consume) { return true }
                    if body.isFinished { return false }
                    continue
                }
                transfer = receive()
                switch transfer {
                case .moved: continue
                case .ended: throw brokenBody(.disconnected)
                case .mustWaitToRead, .mustWaitToWrite: break
                }
            }
            try await waitForBody(transfer.interest)
        }
    }

    /// Lends bytes of a body with a length, as far as they have come; never returns `.ended`.
    private func takeBytes(_ left: UInt64, _ consume: (Span<UInt8>) throws -> Void) throws -> Transfer {
        if let input, !input.isEmpty {
            let count = Int(min(left, UInt64(input.count)))
            body = left > UInt64(count) ? .length(left - UInt64(count)) : .none
            bytesReceived += UInt64(count)
            defer { input.consume(count) }
            try input.withBytes(first: count) { try consume($0) }
            return .moved(count)
        }
        let buffer = core.bodies.take()
        defer { core.bodies.give(buffer) }
        var transfer = Transfer.ended
        // SAFETY: the space is used within the call only.
        let count = unsafe buffer.fill(limit: Int(min(left, UInt64(buffer.capacity)))) { space in
            transfer = unsafe receive(into: space)
            if case .moved(let count) = transfer { return count }
            return 0
        }
        switch transfer {
        case .moved:
            body = left > UInt64(count) ? .length(left - UInt64(count)) : .none
            bytesReceived += UInt64(count)
            budget.moved(count)
            try buffer.withBytes { try consume($0) }
        case .ended: throw brokenBody(.disconnected)
        case .mustWaitToRead, .mustWaitToWrite: break
        }
        return transfer
    }

    /// Lends one piece of a chunked body from `input`. False when there was framing only.
    private func takeChunk(
        _ decoder: inout ChunkedDecoder, _ input: ByteBuffer, _ consume: (Span<UInt8>) throws -> Void
    ) throws -> Bool {
        let step = input.withBytes { decoder.next($0) }
        switch step {
        case .needsMore(let count), .end(let count):
            body = step == .end(consumed: count) ? .none : .chunked(decoder)
            bytesReceived += UInt64(count)
            input.consume(count)
            return false
        case .data(let range):
            body = .chunked(decoder)
            bytesReceived += UInt64(range.upperBound)
            budget.moved(range.upperBound)
            defer { input.consume(range.upperBound) }
            try input.withBytes(first: range.upperBound) { try consume($0.extracting(range)) }
            return true
        case .malformed: throw brokenBody(.malformed)
        }
    }

    private func brokenBody(_ error: BodyError) -> BodyError {
        body = .broken
        return error
    }

    private func waitForBody(_ interest: Interest) async throws {
        let start = Monotonic.milliseconds
        let wake = await wait(for: interest, until: budget.limit(now: start))
        budget.waited(Monotonic.milliseconds &- start)
        switch wake {
        case .ready: return
        case .late: throw brokenBody(.tooSlow)
        case .stopping: throw brokenBody(.stopping)
        }
    }

    /// Drops the rest of the body as far as it is small and there. True when the body is at its end.
    func skipBody() -> Bool {
        var budget = core.configuration.skippedBytesMax
        while true {
            switch body {
            case .none: return true
            case .broken: return false
            case .length(let left):
                // The client may or may not send what it was not invited to send.
                if mustContinue || left > budget { return false }
            case .chunked:
                if mustContinue { return false }
            }
            if input?.isEmpty ?? true {
                guard case .moved = receive() else { return false }
            }
            guard let input else { return false }
            let before = bytesReceived
            switch body {
            case .length(let left): _ = try? takeBytes(left) { _ in }
            case .chunked(var decoder): _ = try? takeChunk(&decoder, input) { _ in }
            case .none, .broken: break
            }
            let skipped = bytesReceived - before
            if skipped > budget { return false }
            budget -= skipped
        }
    }
}
