import Bytes
import Files
import Glibc
import Hooks
import LoadClient
import Metadata
import Synchronization
import Threads

/// `hooks`: how many jobs the engine makes, hands out and ends. Prints one line of JSON.
///
/// In the folder `--folder` it takes `--count` events through the engine over the embedded store, with workers that do nothing.
enum HookLoad {
    static func run(_ arguments: Arguments) throws {
        let folder = try arguments.text("folder")
        let count = try arguments.number("count", default: 20_000)
        let workers = try arguments.number("workers", default: 8)
        let batch = try arguments.number("batch", default: 1)
        let outcome: Lock<Result<String, any Error>?> = Lock(nil)
        let pool = Pool()
        pool.run {
            do {
                let text = try await jobs(folder, count: count, workers: workers, batch: batch, pool)
                outcome.withLock { $0 = .success(text) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        while true {
            if let result = outcome.withLock({ $0 }) { return print(try result.get()) }
            usleep(10_000)
        }
    }

    private static func jobs(
        _ folder: String, count: Int, workers: Int, batch: Int, _ pool: Pool
    ) async throws -> String {
        let data = try DataFolder.open(folder)
        let store = try SQLiteStore.open(data, pool: pool, barrier: { _ in })
        let engine = JobEngine(store: store, hooks: HookDirectory(store), pool: pool)
        try await engine.start()
        guard let name = BucketName("hooked".utf8), let key = ObjectKey("object".utf8) else {
            throw ClientError("no name")
        }
        let bucket = try await store.createBucket(named: name, owner: "root", at: .now())
        let text = Array(#"{"hooks": [{"name": "h", "on": "object.created", "steps": {"a": {"probe": true}}}]}"#.utf8)
        let revision = try await engine.setHooks(try HookConfiguration(parsing: text), document: text, of: bucket.id)
        let version = try await store.publish(
            NewVersion(
                bucket: bucket.id, key: key, owner: "root", size: 0, etag: ETag(md5: [UInt8](repeating: 0, count: 16)),
                attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty))
        var draft = EventDraft(
            name: .createdPut, bucketName: name, principal: "root", customer: nil, revision: revision)
        draft.hooks = [EventHook(name: "h")]
        let event = ObjectEvent(
            position: 0, moment: .now(), bucket: bucket.id, key: key, versionID: version.versionID,
            sequence: version.sequence, size: 0, etag: version.etag, draft: draft)
        let start = Monotonic.nanoseconds
        var left = count
        while left > 0 {
            let part = min(left, 500)
            _ = try await store.noteEvents([ObjectEvent](repeating: event, count: part))
            left -= part
        }
        engine.notice()
        let progress = Progress()
        for index in 0..<workers {
            pool.run {
                do {
                    while progress.done.load(ordering: .relaxed) < count {
                        let jobs = try await engine.claim(
                            worker: "w\(index)", queues: ["default"], countMax: batch, wait: .milliseconds(500))
                        for job in jobs {
                            _ = try await engine.complete(JobCompletion(job: job.job.id, token: job.job.token))
                            progress.done.add(1, ordering: .relaxed)
                        }
                    }
                } catch { progress.failure.withLock { $0 = error } }
                progress.ended.add(1, ordering: .releasing)
            }
        }
        while progress.ended.load(ordering: .acquiring) < workers { await pool.sleep(for: .milliseconds(5)) }
        let seconds = Loads.elapsed(since: start)
        if let failure = progress.failure.withLock({ $0 }) { throw failure }
        await engine.stop()
        await store.close()
        data.close()
        return "{\"jobs\": \(count), \"seconds\": \(seconds), \"per_second\": \(Double(count) / seconds)}"
    }

    private final class Progress: Sendable {
        let done = Atomic<Int>(0)
        let ended = Atomic<Int>(0)
        let failure: Lock<(any Error)?> = Lock(nil)
    }
}
