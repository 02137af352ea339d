import Bytes
import Files
import Metadata
import Mongo
import SQLite
import Search
import TestMongo
import TestSupport
import Testing

@testable import Metadata

/// The indexes that gateways have of the assets in one database.
@Suite struct SharedSearchTests {
    /// A gateway's folder and index over a database that others have too.
    private final class Peer {
        let shared: Shared
        let folder: (keeper: TemporaryFolder, data: DataFolder)
        private(set) var index: SearchIndex

        init(_ database: String? = nil, server: MongoServer? = nil) async throws {
            shared = try await Shared(server: server, database: database)
            folder = try MigrationScene.emptyFolder([UInt8](repeating: 6, count: 16))
            index = SearchIndex(shared.store, in: folder.data, interval: .milliseconds(5))
        }

        func start() {
            shared.store.startRelay()
            index.start()
        }

        /// The index ends, `change` is done, and another begins over the same folder.
        func reopen(_ change: () async throws -> Void) async throws {
            await index.stop()
            try await change()
            index = SearchIndex(shared.store, in: folder.data, interval: .milliseconds(5))
            index.start()
        }

        func count(_ text: String) async throws -> Int {
            await index.settle()
            return try await index.search(SearchRequest(query: try SearchQuery.parse(Array(text.utf8)))).matchCount
        }

        func close() async {
            await index.stop()
            shared.store.close()
            folder.data.close()
        }
    }

    private static func put(_ key: String, in bucket: BucketID, _ peer: Peer) async throws {
        try await peer.shared.subject.put(key, in: bucket)
    }

    @Test func `what one gateway writes every one finds, also one that starts with an empty index`() async throws {
        let one = try await Peer()
        one.start()
        let other = try await Peer(one.shared.database)
        other.start()
        let bucket = try await SearchScene.fill(one.shared.store)
        for number in 0..<20 { try await Self.put("file \(number).txt", in: bucket, one) }
        for number in 20..<30 { try await Self.put("file \(number).txt", in: bucket, other) }
        try await one.shared.subject.delete("file 3.txt", in: bucket)
        #expect(try await one.count("file") == 29)
        #expect(try await other.count("file") == 29)
        let late = try await Peer(one.shared.database)
        #expect(late.index.isBuilding)
        late.start()
        #expect(try await late.count("file") == 29)
        #expect(!late.index.isBuilding && late.index.status().buildCount == 1)
        await late.close()
        await other.close()
        await one.close()
        try one.shared.drop()
    }

    @Test func `an index goes on where it was, and misses nothing of what was written meanwhile`() async throws {
        let peer = try await Peer()
        peer.start()
        let bucket = try await SearchScene.fill(peer.shared.store)
        try await Self.put("one.txt", in: bucket, peer)
        try await Self.put("gone.txt", in: bucket, peer)
        #expect(try await peer.count("txt") == 2)
        try await peer.reopen {
            for number in 0..<1_200 { try await Self.put("two \(number).txt", in: bucket, peer) }
            let gone = try await peer.shared.subject.get("gone.txt", in: bucket)
            try await peer.shared.subject.delete("gone.txt", in: bucket, gone?.versionID)
        }
        #expect(try await peer.count("txt") == 1_201)
        #expect(try await peer.count("gone") == 0)
        #expect(peer.index.status().buildCount == 0)
        await peer.close()
        try peer.shared.drop()
    }

    @Test func `while many write, through several gateways, no change is missed`() async throws {
        let one = try await Peer()
        one.start()
        let other = try await Peer(one.shared.database)
        other.start()
        let bucket = try await SearchScene.fill(one.shared.store)
        let (first, second) = (one.shared, other.shared)
        _ = try await MongoRaceTests.race(16) { worker in
            let subject = worker.isMultiple(of: 2) ? first.subject : second.subject
            for step in 0..<60 {
                try await subject.put("word\(worker)x\(step % 20).txt", in: bucket)
                if step % 7 == 0 { try await subject.delete("word\(worker)x\(step % 20).txt", in: bucket) }
            }
        }
        let listed = try await first.store.listObjects(
            ListQuery(bucket: bucket, prefix: [], delimiter: nil, after: nil, limit: 1_000)
        ).objects.count
        for peer in [one, other] { #expect(try await peer.count("txt") == listed) }
        await other.close()
        await one.close()
        try one.shared.drop()
    }

    @Test(arguments: ["of the future", "of another store"])
    func `an index at a place that cannot be gone on from is made anew`(place: String) async throws {
        let peer = try await Peer()
        peer.start()
        let bucket = try await SearchScene.fill(peer.shared.store)
        try await Self.put("one.txt", in: bucket, peer)
        #expect(try await peer.count("txt") == 1)
        try await peer.reopen {
            let connection = try Connection.open(peer.folder.data.metadata + "/search.db", mode: .readWrite)
            try connection.run(
                script: place == "of another store"
                    ? "UPDATE state SET store = x'01'" : "UPDATE state SET position = \(Int64.max)")
        }
        #expect(try await peer.count("txt") == 1)
        #expect(peer.index.status().buildCount == 1)
        await peer.close()
        try peer.shared.drop()
    }

    @Test func `an index whose place the server does not remember any more is made anew`() async throws {
        let server = try MongoServer.start()
        let peer = try await Peer(server: server)
        peer.start()
        let bucket = try await SearchScene.fill(peer.shared.store)
        try await Self.put("one.txt", in: bucket, peer)
        #expect(try await peer.count("txt") == 1)
        let before = peer.index.status().buildCount
        // ChangeStreamHistoryLost
        try server.fail("aggregate", times: 1, ["errorCode": 286])
        while peer.index.status().buildCount == before { try await Task.sleep(for: .milliseconds(2)) }
        try await Self.put("two.txt", in: bucket, peer)
        #expect(try await peer.count("txt") == 2)
        await peer.close()
        server.stop()
    }
}
