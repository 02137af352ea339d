import Bytes
import Files
import SQLite
import Search
import TestSupport
import Testing

@testable import Metadata

@Suite struct SearchIndexTests {
    /// A store and its index, which can be opened again.
    private final class Reopened {
        private(set) var embedded: Embedded
        private(set) var index: SearchIndex
        private(set) var scene: SearchScene

        init() async throws {
            embedded = try Embedded()
            index = SearchIndex(embedded.store, interval: .milliseconds(5))
            scene = SearchScene(embedded, index, try await SearchScene.fill(embedded.store))
            index.start()
        }

        /// Closes all, lets `change` do something to the file, and opens again.
        func reopen(_ change: (String) throws -> Void = { _ in }) async throws {
            await index.stop()
            await embedded.close()
            try change(embedded.data.metadata + "/search.db")
            embedded = try Embedded(folder: embedded.folder)
            index = SearchIndex(embedded.store, interval: .milliseconds(5))
            scene = SearchScene(embedded, index, scene.bucket)
            index.start()
        }
    }

    @Test func `the index goes on where it was after a restart`() async throws {
        let opened = try await Reopened()
        try await opened.scene.put("one.txt")
        try await opened.scene.settle()
        await opened.index.stop()
        // Committed while nobody follows.
        try await opened.scene.put("two.txt")
        try await opened.reopen()
        #expect(try await opened.scene.keys("txt").count == 2)
        #expect(opened.index.status().buildCount == 0)
        try await opened.scene.close()
    }

    @Test(arguments: ["removed", "overwritten", "cut", "another version", "a former copy", "no table"])
    func `a file that does not fit is made anew`(damage: String) async throws {
        let opened = try await Reopened()
        for number in 0..<50 {
            try await opened.scene.put("file \(number).txt", title: "some text for page number \(number)")
        }
        try await opened.scene.settle()
        try await opened.reopen { path in
            switch damage {
            case "removed": try LinuxDisk().remove(path)
            case "overwritten":
                let text = Array(String(repeating: "no database ", count: 1000).utf8)
                let file = try LinuxDisk().open(path, .update)
                try file.truncate(to: 0)
                try file.write(text.span, at: 0)
            case "cut": try LinuxDisk().open(path, .update).truncate(to: 8192)
            default:
                let connection = try Connection.open(path, mode: .readWrite)
                try connection.run(
                    script: damage == "another version"
                        ? "PRAGMA user_version = 99"
                        : damage == "no table" ? "DROP TABLE state" : "UPDATE state SET position = 1000000")
            }
        }
        try await opened.scene.settle()
        try await opened.scene.put("file 50.txt")
        #expect(try await opened.scene.answer("file").matchCount == 51, "\(damage)")
        #expect(opened.index.status().buildCount > 0)
        try await opened.scene.close()
    }

    @Test func `what was forgotten meanwhile makes it begin anew`() async throws {
        let opened = try await Reopened()
        try await opened.scene.put("one.txt")
        try await opened.scene.settle()
        await opened.index.stop()
        for _ in 0..<3 { try await opened.scene.put("two.txt") }
        let listed = try #require(
            try opened.embedded.store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() })
        _ = try await opened.embedded.store.committer.submit(.forgetAssetChanges(through: listed.last))
        try await opened.reopen()
        #expect(try await opened.scene.answer("txt").matchCount == 2)
        #expect(opened.index.status().buildCount == 1)
        try await opened.scene.close()
    }

    @Test func `assets of one second and the same end of their ids have numbers of their own`() throws {
        let folder = try TemporaryFolder()
        let connection = try Connection.open(folder.path + "/search.db", mode: .readWrite)
        try SearchSchema.make(connection, store: [1])
        var writer = SearchWriter(connection)
        var changes: [SearchWriter.Change] = []
        for number in 0..<5 as Range<UInt8> {
            let id = try #require(AssetID(bytes: [number] + [UInt8](repeating: 7, count: 15)))
            changes.append(
                (
                    id,
                    SearchDocument(
                        id: id.bytes, customer: nil, type: Array("image".utf8), name: Array("same".utf8), texts: [],
                        tags: [], folder: [], mime: [], size: 1, created: 5_000, updated: 5_000)
                ))
        }
        try writer.apply(changes, SearchWriter.Progress(position: 1))
        try writer.apply(changes, SearchWriter.Progress(position: 2))
        let request = SearchRequest(query: try SearchQuery.parse(Array("same".utf8)))
        #expect(try SearchReader(connection, DocumentColumns(sizeMax: 0)).answer(request).matchCount == 5)
        try writer.apply(changes.map { ($0.id, nil) }, SearchWriter.Progress(position: 3))
        #expect(try SearchReader(connection, DocumentColumns(sizeMax: 0)).answer(request).matchCount == 0)
        #expect(try writer.progress() == SearchWriter.Progress(position: 3))
    }
}
