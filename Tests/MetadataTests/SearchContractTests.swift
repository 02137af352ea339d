import Bytes
import Metadata
import Search
import Testing

/// What search finds, in every store with the same expectations.
@Suite struct SearchContractTests {
    @Test(arguments: SearchScene.Kind.allCases)
    func `words are found in names, tags, titles and folders`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `a word in camel case is found by its parts and as a whole`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
        try await scene.put("MyHolidayPhoto.png")
        try await scene.put("holidayphoto.png")
        #expect(try await scene.keys("myholidayphoto") == ["MyHolidayPhoto.png"])
        #expect(try await scene.keys("myhol*") == ["MyHolidayPhoto.png"])
        #expect(try await scene.keys("holiday") == ["MyHolidayPhoto.png"])
        #expect(try await Set(scene.keys("HolidayPhoto")) == ["MyHolidayPhoto.png", "holidayphoto.png"])
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `a prefix is found however many words begin with it`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `filters and ranges hold exactly`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        #expect(try await scene.keys("name:p type:image") == ["p.png"])
        #expect(try await scene.keys("name:p type:video") == [])
        #expect(try await scene.keys("name:p type:audio") == [])
        #expect(try await scene.keys("name:p type:image type:video") == [])
        #expect(try await scene.answer("folder:/ type:video", facets: [.type]).matchCount == 6)
        #expect(try await scene.answer("folder:/ type:video -type:image size:>1mb").matchCount == 2)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `customers see their own assets only`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
        try await scene.put("acme/one.txt", owner: "alice")
        try await scene.put("other/one.txt", owner: "bob")
        #expect(try await scene.keys("one", customer: "acme") == ["acme/one.txt"])
        #expect(try await scene.keys("one", customer: "other") == ["other/one.txt"])
        #expect(try await scene.keys("one OR two", customer: "nobody") == [])
        #expect(try await scene.answer("one", customer: "acme", facets: [.folder, .type]).matchCount == 1)
        #expect(try await Set(scene.keys("one")).count == 2)
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `deleted assets vanish and restored ones come back`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `every order can be walked page by page while assets come`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `the better answer comes first, then the newer`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
        try await scene.put("1.txt", title: "about a harbour")
        try await scene.put("2.txt", tags: ["harbour"])
        try await scene.put("old harbour.txt")
        try await scene.put("harbour.txt")
        try await scene.put("3.txt", title: "harbour too")
        let keys = try await scene.keys("harbour")
        #expect(keys == ["harbour.txt", "old harbour.txt", "2.txt", "3.txt", "1.txt"])
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `a page of assets that have the word in their names is that of all`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `facets count by type, tag and folder`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `no text of a user becomes an operator`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
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
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `details that are set are found, and what is set anew is found no longer`(kind: SearchScene.Kind) async throws
    {
        let scene = try await SearchScene(kind)
        try await scene.put("film.mp4")
        let id = try #require(try await scene.store.asset(of: .of("film.mp4"), in: scene.bucket)?.id)
        var details = AssetDetails()
        details.title = Array("Sunrise".utf8)
        try await scene.store.setAssetDetails(details, of: id)
        #expect(try await scene.keys("sunrise") == ["film.mp4"])
        details.title = Array("Sunset".utf8)
        try await scene.store.setAssetDetails(details, of: id)
        #expect(try await scene.keys("sunrise") == [])
        #expect(try await scene.keys("sunset") == ["film.mp4"])
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `words of different fields are no neighbours`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
        try await scene.put("red car.txt", tags: ["big"], title: "old house")
        for query in ["\"car txt\"", "\"old house\"", "\"red ca\"", "\"old house\" OR zebra"] {
            #expect(try await scene.keys(query) == (query.contains("ca\"") ? [] : ["red car.txt"]), "\(query)")
        }
        for query in ["\"txt big\"", "\"txt old\"", "\"big old\"", "\"house car\"", "name:\"old house\""] {
            #expect(try await scene.keys(query) == [], "\(query)")
        }
        #expect(try await scene.keys("tag:bi*") == ["red car.txt"])
        #expect(try await scene.keys("tag:ca*") == [])
        #expect(try await scene.keys("name:ca*") == ["red car.txt"])
        #expect(try await scene.keys("-\"house old\" red (house OR zebra) -zebra") == ["red car.txt"])
        try await scene.close()
    }

    @Test(arguments: SearchScene.Kind.allCases)
    func `by time pages go on behind each other in both directions`(kind: SearchScene.Kind) async throws {
        let scene = try await SearchScene(kind)
        for number in 0..<12 { try await scene.put("n\(number).png") }
        for sort in [SearchSort(.created, isDescending: true), SearchSort(.created, isDescending: false)] {
            var walked: [String] = []
            var after: SortPlace?
            repeat {
                let page = try await scene.answer("type:image", sort: sort, limit: 5, after: after)
                #expect(page.matchCount == 12 && !page.isCapped)
                walked += try await scene.keys(page)
                after = page.hasMore ? page.hits.last : nil
            } while after != nil && walked.count < 30
            #expect(Set(walked).count == 12 && walked.count == 12)
        }
        try await scene.close()
    }
}
