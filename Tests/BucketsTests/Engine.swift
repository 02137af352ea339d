import Bytes
import Glibc
import Metadata
import TestSupport
import Testing
import Threads

@testable import Buckets

/// Runs SeaweedFS for the time of a suite; its tests find it in `Engine.current`.
struct EngineTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let engine = try await SeaweedFS.start()
        do {
            try await Engine.$scoped.withValue(engine, operation: function)
        } catch {
            await engine.stop()
            throw error
        }
        await engine.stop()
    }
}

extension Trait where Self == EngineTrait {
    static var runningEngine: Self { Self() }
}

enum Engine {
    @TaskLocal static var scoped: SeaweedFS?
    private static let lastPrefix = Lock(0)

    static var current: SeaweedFS {
        get throws {
            guard let scoped else { throw TestSupportError("no engine runs for this test") }
            return scoped
        }
    }

    /// Of a place that nobody else uses. `port` is that of a proxy before the engine. Parts are as small as S3 lets them be, and
    /// what is young is swept and an orphan already.
    static func configuration(port: UInt16? = nil) throws -> RemoteBlobsConfiguration {
        let engine = try current
        let number = lastPrefix.withLock { last in
            last += 1
            return last
        }
        let address = try EngineAddress(
            "s3://\(engine.bucket)/test-\(number)?endpoint=http://127.0.0.1:\(port ?? engine.port)")
        var configuration = RemoteBlobsConfiguration(
            address: address, accessKey: [UInt8](engine.accessKey.utf8), secretKey: [UInt8](engine.secretKey.utf8))
        configuration.partBytes = 5 << 20
        configuration.garbageLifetime = .zero
        configuration.orphanAge = .zero
        return configuration
    }
}

/// The implementations that the contract is tested with.
enum BlobStoreKind: CaseIterable, Sendable {
    case local, remote

    func fixture(
        inlineBytesMax: Int = 0, change: (inout RemoteBlobsConfiguration) -> Void = { _ in }
    ) throws -> Fixture {
        guard self == .remote else { return try Fixture(inlineBytesMax: inlineBytesMax) }
        var configuration = try Engine.configuration()
        change(&configuration)
        return try Fixture(inlineBytesMax: inlineBytesMax, engine: configuration)
    }
}

extension Fixture {
    /// The ids of all blobs that are there, whether a row names them or not.
    func kept() async throws -> [BlobID] {
        if let remote {
            var ids: [BlobID] = []
            var token: String?
            repeat {
                let page = try await remote.client.list(prefix: remote.client.address.key(""), from: token)
                ids += page.objects.compactMap { remote.blob(ofKey: $0.key) }
                token = page.next
            } while token != nil
            return ids.sorted()
        }
        return try files().compactMap { UInt64($0.suffix(16), radix: 16) }.map { BlobID($0) }.sorted()
    }

    /// What is thrown away goes in the background: waits until `count` blobs are there.
    func untilKept(_ count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await kept().count != count {
            guard ContinuousClock.now < deadline else {
                throw TestSupportError("\(try await kept().count) blobs are kept instead of \(count)")
            }
            await Self.pool.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until every upload in parts to the engine has ended.
    func untilNoUploads() async throws {
        guard let remote else { return }
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let open = try await remote.client.uploads(
                prefix: remote.client.address.key(""), before: Timestamp(milliseconds: .max))
            if open.isEmpty { return }
            guard ContinuousClock.now < deadline else { throw TestSupportError("uploads were left: \(open)") }
            await Self.pool.sleep(for: .milliseconds(20))
        }
    }

    /// Changes what is kept of a blob, its trailer included.
    func spoil(_ blob: BlobID, _ change: (inout [UInt8]) -> Void) async throws {
        if let remote {
            let response = try await remote.client.get(remote.key(of: blob))
            var bytes = try await EngineClient.rest(of: response, bytesMax: 64 << 20)
            change(&bytes)
            try await remote.client.put(remote.key(of: blob), bytes)
            return
        }
        var bytes = try TemporaryFolder.read(blobs.path(of: blob))
        change(&bytes)
        let descriptor = unsafe open(blobs.path(of: blob), O_WRONLY | O_TRUNC | O_CLOEXEC)
        defer { close(descriptor) }
        guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else { throw FixtureError() }
    }

    /// Removes a blob without anybody's knowledge.
    func lose(_ blob: BlobID) async throws {
        if let remote { try await remote.client.delete(remote.key(of: blob)) } else { try blobs.remove(blob) }
    }

    func blob(of version: ObjectVersion) throws -> BlobID {
        guard let blob = version.content.blobs.first else { throw FixtureError() }
        return blob
    }
}
