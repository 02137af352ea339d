import Mongo
import Testing

@Suite struct MongoURITests {
    @Test func `A connection string tells its database, replica set and TLS`() throws {
        let uri = try MongoURI.parse(
            "mongodb://user:secret@127.0.0.1:27017,127.0.0.1:27018/ogw?replicaSet=rs0&tls=true")
        #expect(uri.database == "ogw")
        #expect(uri.replicaSet == "rs0")
        #expect(uri.usesTLS)
    }

    @Test func `What is not said is nil or off`() throws {
        let uri = try MongoURI.parse("mongodb://127.0.0.1")
        #expect(uri.database == nil)
        #expect(uri.replicaSet == nil)
        #expect(!uri.usesTLS)
    }

    @Test(arguments: ["", "http://127.0.0.1", "mongodb://", "mongodb://a:b:c@h", "mongodb://127.0.0.1:99999"])
    func `Anything else is an error of its own kind`(text: String) {
        #expect {
            try MongoURI.parse(text)
        } throws: { error in
            if case .invalidURI = error as? MongoError { true } else { false }
        }
    }

    @Test func `A NUL does not end the text early`() {
        #expect(throws: MongoError.invalidURI("it contains a NUL")) {
            try MongoURI.parse("mongodb://127.0.0.1\0/other")
        }
    }
}
