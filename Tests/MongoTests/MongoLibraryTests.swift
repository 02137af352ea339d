import Mongo
import Testing

@Suite struct MongoLibraryTests {
    @Test func `The library that runs is of the series built for`() {
        #expect(MongoLibrary.version.hasPrefix("1."))
    }
}
