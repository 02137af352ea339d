import Metadata
import Threads

/// One upload in parts to the engine. Parts travel beside one another; who adds one too many waits.
final class RemoteUpload: Sendable {
    let blob: BlobID
    private let blobs: RemoteBlobs
    private let id: String
    private let state = Lock(State())
    /// API/CreateMultipartUpload.
    private static let partsMax = 10_000

    private struct State {
        var etags: [String?] = []
        var underWay = 0
        var failure: BucketsError?
        var waiter: Waiter<Void>?
    }

    private init(_ blob: BlobID, id: String, blobs: RemoteBlobs) {
        (self.blob, self.id, self.blobs) = (blob, id, blobs)
    }

    /// Of a new blob.
    static func begin(in blobs: RemoteBlobs) async throws(BucketsError) -> RemoteUpload {
        let blob = try await blobs.newID(needsDirectory: true)
        do throws(EngineError) {
            return RemoteUpload(blob, id: try await blobs.client.createUpload(blobs.key(of: blob)), blobs: blobs)
        } catch {
            throw BucketsError(error)
        }
    }

    /// Begins to send the next part, as soon as few enough are under way. Throws why a former one failed. `share` is let go
    /// of when the engine has the part.
    func send(_ part: [UInt8], holding share: UploadMemory.Share?) async throws(BucketsError) {
        try await untilFewer(than: max(1, blobs.remote.partsAtOnce))
        let number = state.withLock { state in
            state.etags.append(nil)
            state.underWay += 1
            return state.etags.count
        }
        guard number <= Self.partsMax else {
            ended(number, .failure(.tooLarge(sizeMax: UInt64(Self.partsMax) * UInt64(max(0, blobs.remote.partBytes)))))
            return
        }
        blobs.pool.run { [self] in
            let result: Result<String, BucketsError>
            do throws(EngineError) {
                result = .success(
                    try await blobs.client.putPart(blobs.key(of: blob), upload: id, number: number, part))
            } catch {
                result = .failure(BucketsError(error))
            }
            withExtendedLifetime(share) {}
            ended(number, result)
        }
    }

    private func ended(_ number: Int, _ result: Result<String, BucketsError>) {
        let waiter = state.withLock { state in
            state.underWay -= 1
            switch result {
            case .success(let etag): state.etags[number - 1] = etag
            case .failure(let error): if state.failure == nil { state.failure = error }
            }
            return state.waiter.take()
        }
        waiter?.resume(())
    }

    private func untilFewer(than limit: Int) async throws(BucketsError) {
        while true {
            let (count, failure) = state.withLock { ($0.underWay, $0.failure) }
            if let failure { throw failure }
            if count < limit { return }
            await untilChanged(from: count)
        }
    }

    private func untilChanged(from count: Int) async {
        await Waiter<Void>.suspend { waiter in
            let isReady = state.withLock { state in
                if state.underWay != count { return true }
                state.waiter = waiter
                return false
            }
            if isReady { waiter.resume(()) }
        }
    }

    /// Joins the parts. `length` is what they make up, in bytes.
    func complete(length: UInt64) async throws(BucketsError) {
        try await untilFewer(than: 1)
        let etags = state.withLock { $0.etags.compactMap { $0 } }
        do throws(EngineError) {
            try await blobs.client.complete(blobs.key(of: blob), upload: id, etags: etags, size: length)
        } catch {
            throw BucketsError(error)
        }
    }

    /// Ends the upload in the background, and removes what may have become of it.
    func discard() {
        blobs.pool.run { [self] in
            while true {
                let count = state.withLock { $0.underWay }
                if count == 0 { break }
                await untilChanged(from: count)
            }
            try? await blobs.client.abort(blobs.key(of: blob), upload: id)
            try? await blobs.client.delete(blobs.key(of: blob))
        }
    }
}
