import Mongo
import TestMongo
import Testing

@Suite struct MongoDatabaseTests {
    /// On a real server, in a collection of the test's own.
    private static func database() throws -> MongoDatabase {
        let name = "mongo-tests-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let uri = try MongoURI.parse(
            MongoServer.shared.uri(database: name), serverSelection_ms: 5_000, socket_ms: 10_000)
        return MongoDatabase(try MongoClients.open(uri, countMax: 4), name: name, majorityWait: .seconds(5))
    }

    @Test func `What was inserted is found, changed and removed`() throws {
        let database = try Self.database()
        try database.insert((0..<1_200).map { ["_id": .int32($0), "n": .int32($0 % 3)] }, into: "c")
        let page = try database.find(
            MongoDatabase.Query(["n": 1], projection: ["_id": 1], sort: ["_id": -1], limit: 2), in: "c")
        #expect(page.documents.compactMap { $0["_id"]?.integer } == [1_198, 1_195] && page.isComplete)
        let changed = try database.findAndModify(
            ["_id": 7], .pipeline([["$set": ["n": ["$add": ["$n", 10]]]]]), in: "c")
        #expect(changed?["n"]?.integer == 11)
        #expect(try database.findAndModify(["_id": -1], .document(["$set": ["n": 1]]), in: "c") == nil)
        let matched = try database.update(
            [MongoDatabase.Update(["n": 0], .document(["$set": ["z": true]]), many: true)], in: "c")
        #expect(matched == 400)
        #expect(try database.delete(["n": ["$lt": 3]], from: "c") == 1_199)
        #expect(try database.findOne([:], in: "c")?["_id"]?.integer == 7)
        _ = try database.run(["dropDatabase": 1])
    }

    @Test func `A duplicate key is an error of its own, and the rest of the batch is carried out`() throws {
        let database = try Self.database()
        try database.insert([["_id": 1]], into: "c")
        #expect {
            try database.insert([["_id": 1], ["_id": 2]], into: "c")
        } throws: { if case .duplicateKey = $0 as? MongoError { true } else { false } }
        try database.insert([["_id": 2], ["_id": 3]], ignoringDuplicates: true, into: "c")
        #expect(try database.find(MongoDatabase.Query([:], limit: 10), in: "c").documents.count == 3)
        #expect {
            try database.findAndModify(["_id": 1, "x": 1], .document(["$set": ["y": 1]]), upsert: true, in: "c")
        } throws: { if case .duplicateKey = $0 as? MongoError { true } else { false } }
        _ = try database.run(["dropDatabase": 1])
    }

    @Test func `What the server does not understand is refused, with its code`() throws {
        let database = try Self.database()
        #expect {
            try database.run(["noSuchCommand": 1])
        } throws: { if case .refused(code: 59, _) = $0 as? MongoError { true } else { false } }
    }

    @Test func `A server that is not there was not reached`() throws {
        let uri = try MongoURI.parse("mongodb://127.0.0.1:9", serverSelection_ms: 200, socket_ms: 200)
        let database = MongoDatabase(try MongoClients.open(uri, countMax: 1), name: "x", majorityWait: .seconds(1))
        #expect {
            try database.run(["ping": 1])
        } throws: { if case .notCarriedOut = $0 as? MongoError { true } else { false } }
    }

    @Test func `Text orders as its bytes do, with NULs and bytes that are no UTF-8 too`() throws {
        let database = try Self.database()
        let texts: [[UInt8]] = [[0], [0, 0], [0, 1], [1], [0x61], [0x61, 0], [0x62], [0xC2, 0x80], [0xC3, 0xBF]]
        try database.insert(texts.shuffled().map { ["_id": .text($0)] }, into: "c")
        let found = try database.find(MongoDatabase.Query([:], sort: ["_id": 1], limit: 100), in: "c").documents
        #expect(found.compactMap { $0["_id"]?.text } == texts)
        _ = try database.run(["dropDatabase": 1])
    }

    @Test func `An update of many reports more than one batch`() throws {
        let database = try Self.database()
        let updates = (0..<1_100).map {
            MongoDatabase.Update(["_id": .int32($0)], .document(["$set": ["n": 1]]), upsert: true)
        }
        #expect(try database.update(updates, in: "c") == 1_100)
        #expect(try database.count(of: "c") == 1_100)
        _ = try database.run(["dropDatabase": 1])
    }
}
