import Bytes
import Files
import SQLite
import Search
import TestSupport
import Testing

@testable import Metadata

@Suite struct SearchIndexTests {
    /// A store with an asset bucket and its index.
    private final class Scene {
        var embedded: Embedded
        var index: SearchIndex
        let bucket: BucketID
        var store: SQLiteStore { embedded.store }
        var subject: Subject { embedded.subject }
        var path: String { embedded.data.metadata + "/search.db" }

        init() async throws {
            embedded = try Embedded()
            bucket = try await embedded.subject.bucket(.enabled)
            try await embedded.store.setAssets(true, of: bucket)
            for name in ["alice", "bob"] {
                try await embedded.store.addUser(
                    User(
                        name: name, accessKey: Array(name.utf8), sealedSecret: [2], policy: .readwrite,
                        customer: name == "alice" ? "acme" : "other", isDisabled: false, created: .fixed))
            }
            index = SearchIndex(embedded.store, interval: .milliseconds(5))
            index.start()
        }

        func put(
            _ key: String, owner: String = "alice", size: UInt64 = 10, type: String? = nil, tags: [String] = [],
            title: String? = nil
        ) async throws {
            var attributes = ObjectAttributes()
            attributes.contentType = type.map { Array($0.utf8) }
            if let title {
                attributes.userMetadata = [UserMetadata(name: Array("title".utf8), value: Array(title.utf8))]
            }
            _ = try await store.publish(
                NewVersion(
                    bucket: bucket, key: .of(key), owner: owner, size: size, etag: ETag(md5: .md5(1)),
                    attributes: attributes, checksum: nil, tags: tags.map { Tag(key: Array($0.utf8), value: []) },
                    content: .blob(BlobID(Blobs.next()))))
        }

        /// When all that was committed is in.
        func settle() async throws {
            while !index.isCurrent { try await Task.sleep(for: .milliseconds(2)) }
        }

        func answer(
            _ text: String, customer: String? = nil, sort: SearchSort = .relevance, limit: Int = 50,
            after: SortPlace? = nil, facets: Set<Facet> = []
        ) async throws -> SearchAnswer {
            try await settle()
            return try await index.search(
                SearchRequest(
                    query: try SearchQuery.parse(Array(text.utf8)), customer: customer.map { Array($0.utf8) },
                    sort: sort, limit: limit, after: after, facets: facets))
        }

        func keys(_ answer: SearchAnswer) async throws -> [String] {
            try await store.assets(answer.hits.compactMap { AssetID(bytes: $0.id) }).map(\.asset.key.text)
        }

        func keys(_ text: String, customer: String? = nil, sort: SearchSort = .relevance) async throws -> [String] {
            try await keys(try await answer(text, customer: customer, sort: sort))
        }

        /// Closes all, lets `change` do something to the files, and opens again.
        func reopen(_ change: (String) throws -> Void = { _ in }) async throws {
            await index.stop()
            await embedded.close()
            try change(path)
            embedded = try Embedded(folder: embedded.folder)
            index = SearchIndex(embedded.store, interval: .milliseconds(5))
            index.start()
        }

        func close() async {
            await index.stop()
            await embedded.close()
        }
    }

    @Test func `words are found in names, tags, titles and folders`() async throws {
        let scene = try await Scene()
        try await scene.put("brand/Summer_Party-2026.jpg", tags: ["Été"], title: "People dancing on the beach")
        try await scene.put("x/winter.jpg", title: "Snow")
        for query in [
            "summer", "PARTY", "2026", "summ*", "summer party", "\"summer party\"", "ete", "dancing",
            "\"on the beach\"",
            "brand", "summer -snow", "absent* OR dancing -winter", "name:party", "tag:été", "folder:Brand",
            "summer_party",
        ] {
            #expect(try await scene.keys(query) == ["brand/Summer_Party-2026.jpg"], "\(query)")
        }
        for query in ["\"party summer\"", "name:dancing", "tag:summer", "part", "folder:x summer", "absent"] {
            #expect(try await scene.keys(query) == [], "\(query)")
        }
        #expect(try await Set(scene.keys("")).count == 2)
        #expect(try await scene.keys("-snow") == ["brand/Summer_Party-2026.jpg"])
        await scene.close()
    }

    @Test func `a word in camel case is found by its parts and as a whole`() async throws {
        let scene = try await Scene()
        try await scene.put("MyHolidayPhoto.png")
        try await scene.put("holidayphoto.png")
        #expect(try await scene.keys("myholidayphoto") == ["MyHolidayPhoto.png"])
        #expect(try await scene.keys("myhol*") == ["MyHolidayPhoto.png"])
        #expect(try await scene.keys("holiday") == ["MyHolidayPhoto.png"])
        #expect(try await Set(scene.keys("HolidayPhoto")) == ["MyHolidayPhoto.png", "holidayphoto.png"])
        await scene.close()
    }

    @Test func `a prefix is found however many words begin with it`() async throws {
        let scene = try await Scene()
        for number in 0..<100 {
            try await scene.put(
                "prefixed\(String(UnicodeScalar(UInt8(97 + number / 26))))\(String(UnicodeScalar(UInt8(97 + number % 26)))).txt"
            )
        }
        try await scene.put("other.txt")
        #expect(try await scene.answer("prefix*").matchCount == 100)
        #expect(try await scene.answer("pre*").matchCount == 100)
        #expect(try await scene.answer("prefixeda*").matchCount == 26)
        #expect(try await scene.answer("prefixedaa*").matchCount == 1)
        #expect(try await scene.answer("-prefix*").matchCount == 1)
        #expect(try await scene.answer("prefixes*").matchCount == 0)
        #expect(try await scene.answer("-prefixes*").matchCount == 101)
        await scene.close()
    }

    @Test func `filters and ranges hold exactly`() async throws {
        let scene = try await Scene()
        for size in [0, 1, 999_999, 1_000_000, 1_000_001, 5_000_000_000] as [UInt64] {
            try await scene.put("f\(size).mp4", size: size, type: "video/mp4")
        }
        try await scene.put("p.png", size: 1_000_000, type: "image/png")
        func sizes(_ query: String) async throws -> [String] {
            try await scene.keys("mime:video/* " + query, sort: SearchSort(.size, isDescending: false))
                .map { String($0.dropFirst().dropLast(4)) }
        }
        #expect(try await sizes("size:>1mb") == ["1000001", "5000000000"])
        #expect(try await sizes("size:>=1mb") == ["1000000", "1000001", "5000000000"])
        #expect(try await sizes("size:..1mb -size:0") == ["1", "999999", "1000000"])
        #expect(try await sizes("size:1mb") == ["1000000"])
        #expect(try await sizes("-size:1b..1mb") == ["0", "1000001", "5000000000"])
        #expect(try await sizes("size:>9gb") == [])
        #expect(try await scene.keys("type:image") == ["p.png"])
        #expect(try await scene.keys("mime:image/png size:1mb") == ["p.png"])
        #expect(try await scene.keys("created:..2020") == [])
        #expect(try await scene.keys("created:2020.. type:image") == ["p.png"])
        #expect(try await scene.keys("-created:2020.. type:image") == [])
        #expect(try await scene.keys("updated:>2020 type:image") == ["p.png"])
        #expect(try await scene.keys("width:>0") == [])
        let asset = try #require(try await scene.store.asset(of: .of("p.png"), in: scene.bucket))
        var details = AssetDetails()
        (details.width, details.height, details.duration) = (1920, 1080, 90_000)
        try await scene.store.setAssetDetails(details, of: asset.id)
        #expect(try await scene.keys("width:1920 height:<2000 duration:1:30") == ["p.png"])
        #expect(try await scene.keys("width:1921..") == [])
        #expect(try await scene.answer("-width:1920").matchCount == 6)
        await scene.close()
    }

    @Test func `customers see their own assets only`() async throws {
        let scene = try await Scene()
        try await scene.put("acme/one.txt", owner: "alice")
        try await scene.put("other/one.txt", owner: "bob")
        #expect(try await scene.keys("one", customer: "acme") == ["acme/one.txt"])
        #expect(try await scene.keys("one", customer: "other") == ["other/one.txt"])
        #expect(try await scene.keys("one OR two", customer: "nobody") == [])
        #expect(try await scene.answer("one", customer: "acme", facets: [.folder, .type]).matchCount == 1)
        #expect(try await Set(scene.keys("one")).count == 2)
        await scene.close()
    }

    @Test func `deleted assets vanish and restored ones come back`() async throws {
        let scene = try await Scene()
        try await scene.put("a one.txt", tags: ["old"])
        #expect(try await scene.keys("one") == ["a one.txt"])
        let marker = try await scene.subject.delete("a one.txt", in: scene.bucket)
        #expect(try await scene.keys("one") == [])
        try await scene.subject.delete("a one.txt", in: scene.bucket, marker.versionID)
        #expect(try await scene.keys("one") == ["a one.txt"])
        _ = try await scene.store.setTags(
            [Tag(key: Array("new".utf8), value: [])], of: .of("a one.txt"), in: scene.bucket, version: nil)
        #expect(try await scene.keys("tag:new") == ["a one.txt"])
        #expect(try await scene.keys("tag:old") == [])
        await scene.close()
    }

    @Test func `every order can be walked page by page while assets come`() async throws {
        let scene = try await Scene()
        for number in 0..<23 {
            try await scene.put(
                "item \(number % 7) n\(number)", size: UInt64(number % 5), title: number % 2 == 0 ? "item" : nil)
        }
        for text in SearchSort.choices {
            let sort = try #require(SearchSort(text.utf8))
            let all = try await scene.answer("item", sort: sort).hits
            #expect(all.count >= 23 && all.count == Set(all.map(\.id)).count)
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.comes(before: $1, in: sort) }, "\(text)")
            var walked: [SortPlace] = []
            var after: SortPlace?
            var pages = 0
            repeat {
                let page = try await scene.answer("item", sort: sort, limit: 5, after: after)
                #expect(page.hits.count == 5 || !page.hasMore)
                walked += page.hits
                after = page.hasMore ? page.hits.last : nil
                pages += 1
                // Comes in front in most orders.
                try await scene.put("item 0 late \(text) \(pages)")
            } while after != nil && pages < 40
            #expect(walked.count == Set(walked.map(\.id)).count, "\(text): an asset came twice")
            #expect(Set(all.map(\.id)).isSubset(of: Set(walked.map(\.id))), "\(text): an asset was left out")
        }
        await scene.close()
    }

    @Test func `the better answer comes first, then the newer`() async throws {
        let scene = try await Scene()
        try await scene.put("1.txt", title: "about a harbour")
        try await scene.put("2.txt", tags: ["harbour"])
        try await scene.put("old harbour.txt")
        try await scene.put("harbour.txt")
        try await scene.put("3.txt", title: "harbour too")
        let keys = try await scene.keys("harbour")
        #expect(keys == ["harbour.txt", "old harbour.txt", "2.txt", "3.txt", "1.txt"])
        await scene.close()
    }

    @Test func `a page of assets that have the word in their names is that of all`() async throws {
        let scene = try await Scene()
        for number in 0..<30 {
            try await scene.put("\(number) lake.txt", tags: number % 3 == 0 ? ["lake"] : [])
            try await scene.put("\(number).txt", tags: number % 2 == 0 ? ["lake"] : [], title: "lake")
        }
        let whole = try await scene.answer("lake", limit: 200).hits
        #expect(whole.count == 60)
        var walked: [SortPlace] = []
        var after: SortPlace?
        repeat {
            let page = try await scene.answer("lake", limit: 7, after: after)
            #expect(page.matchCount == 60 && !page.isCapped)
            walked += page.hits
            after = page.hasMore ? page.hits.last : nil
        } while after != nil && walked.count < 100
        #expect(walked == whole)
        await scene.close()
    }

    @Test func `facets count by type, tag and folder`() async throws {
        let scene = try await Scene()
        try await scene.put("acme/a/1.png", tags: ["Red", "big"])
        try await scene.put("acme/a/2.png", tags: ["red"])
        try await scene.put("3.mp3", tags: [])
        let answer = try await scene.answer("", facets: Set(Facet.allCases))
        func text(_ facet: Facet) -> [String] {
            (answer.facets[facet] ?? []).map { "\(String(decoding: $0.value, as: UTF8.self)) \($0.count)" }
        }
        #expect(text(.type) == ["image 2", "audio 1"])
        #expect(text(.tag).map { $0.lowercased() } == ["red 2", "big 1"])
        #expect(text(.folder) == ["a 2"])
        #expect(answer.matchCount == 3 && !answer.isCapped)
        await scene.close()
    }

    @Test func `no text of a user becomes an operator`() async throws {
        let scene = try await Scene()
        try await scene.put("one near.txt")
        try await scene.put("two.txt")
        for text in [
            "\"one\\\" OR \\\"two\"", "one' AND '1'='1", "\"name : two\" OR zzz", "one NEAR two", "^two AND one",
            "one + two",
            "{name}", "filters", "one;DROP", "tag:\"one\\\" OR \\\"two\"", "folder:\"\\\" OR \\\"\"", "two NOT one",
        ] {
            let answer = try? await scene.answer(text)
            #expect(answer?.matchCount ?? 0 == 0, "\(text)")
        }
        #expect(try await scene.keys("near") == ["one near.txt"])
        await scene.close()
    }

    @Test func `the index goes on where it was after a restart`() async throws {
        let scene = try await Scene()
        try await scene.put("one.txt")
        try await scene.settle()
        await scene.index.stop()
        // Committed while nobody follows.
        try await scene.put("two.txt")
        try await scene.reopen()
        #expect(try await scene.keys("txt").count == 2)
        #expect(scene.index.status().buildCount == 0)
        await scene.close()
    }

    @Test(arguments: ["removed", "overwritten", "cut", "another version", "a former copy", "no table"])
    func `a file that does not fit is made anew`(damage: String) async throws {
        let scene = try await Scene()
        for number in 0..<50 { try await scene.put("file \(number).txt", title: "some text for page number \(number)") }
        try await scene.settle()
        try await scene.reopen { path in
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
        try await scene.settle()
        try await scene.put("file 50.txt")
        #expect(try await scene.answer("file").matchCount == 51, "\(damage)")
        #expect(scene.index.status().buildCount > 0)
        await scene.close()
    }

    @Test func `what was forgotten meanwhile makes it begin anew`() async throws {
        let scene = try await Scene()
        try await scene.put("one.txt")
        try await scene.settle()
        await scene.index.stop()
        for _ in 0..<3 { try await scene.put("two.txt") }
        let listed = try #require(
            try scene.store.readers.read { (rows) throws(MetadataError) in try rows.assetChangesListed() })
        _ = try await scene.store.committer.submit(.forgetAssetChanges(through: listed.last))
        try await scene.reopen()
        #expect(try await scene.answer("txt").matchCount == 2)
        #expect(scene.index.status().buildCount == 1)
        await scene.close()
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
        #expect(try SearchReader(connection).answer(request).matchCount == 5)
        try writer.apply(changes.map { ($0.id, nil) }, SearchWriter.Progress(position: 3))
        #expect(try SearchReader(connection).answer(request).matchCount == 0)
        #expect(try writer.progress() == SearchWriter.Progress(position: 3))
    }
}
