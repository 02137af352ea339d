import Files
import Glibc
import SimulatedDisk
import Testing

/// What a power cut leaves of names.
@Suite struct NameChangeTests {
    @Test func `names that were synced survive every cut`() throws {
        let found = try outcomes { disk in
            try disk.makeDirectory("/a")
            try disk.syncDirectory("/")
            _ = try disk.open("/a/1", .create)
            try disk.syncDirectory("/a")
            disk.powerCut()
            return [try disk.sortedNames(), try disk.sortedNames("/a")]
        }
        #expect(found == [[["a"], ["1"]]])
    }

    @Test func `each unsynced name survives or not, whatever becomes of the others`() throws {
        let found = try outcomes { disk in
            for name in ["1", "2", "3"] { _ = try disk.open("/\(name)", .create) }
            disk.powerCut()
            return try disk.sortedNames()
        }
        #expect(found == [[], ["1"], ["2"], ["3"], ["1", "2"], ["1", "3"], ["2", "3"], ["1", "2", "3"]])
    }

    @Test func `syncing a file does not make its name durable`() throws {
        let found = try outcomes { disk in
            let file = try disk.open("/file", .create)
            try file.write([1].span, at: 0)
            try file.syncData()
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [nil, [1]])
    }

    @Test func `a synced name does not bring content that was never synced`() throws {
        let found = try outcomes { disk in
            try disk.open("/file", .create).write([1].span, at: 0)
            try disk.syncDirectory("/")
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [[], [0], [1]])
    }

    @Test func `what lies in a directory whose name is lost is lost`() throws {
        let found = try outcomes { disk in
            try disk.makeDirectory("/a")
            try disk.makeDirectory("/a/b")
            try disk.syncDirectory("/a")
            try disk.durableFile("/a/b/file", [1])
            disk.powerCut()
            return [try disk.sortedNames(), (try? disk.sortedNames("/a/b")) ?? ["none"]]
        }
        #expect(found == [[[], ["none"]], [["a"], ["file"]]])
    }

    @Test func `changes of one name survive in their order`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/1", [1])
            let second = try disk.unnamed(in: "/")
            try second.write([2].span, at: 0)
            try second.syncData()
            try disk.remove("/1")
            try disk.link(second, as: "/1")
            try disk.remove("/1")
            _ = try disk.open("/1", .createNew)
            disk.powerCut()
            return try disk.content("/1")
        }
        #expect(found == [[1], nil, [2], []])
    }

    @Test func `a rename survives at both ends or at none`() throws {
        let found = try outcomes { disk in
            try disk.durableDirectory("/a")
            try disk.durableDirectory("/b")
            try disk.durableFile("/a/old", [1])
            try disk.durableFile("/b/new", [2])
            try disk.rename("/a/old", to: "/b/new")
            disk.powerCut()
            return [try disk.content("/a/old"), try disk.content("/b/new")]
        }
        #expect(found == [[[1], [2]], [nil, [1]]])
    }

    @Test func `syncing one end of a rename makes the other durable, and what came before it there`() throws {
        let found = try outcomes { disk in
            try disk.durableDirectory("/a")
            try disk.durableDirectory("/b")
            _ = try disk.open("/a/1", .create)
            _ = try disk.open("/a/other", .create)
            try disk.rename("/a/1", to: "/a/2")
            try disk.rename("/a/2", to: "/b/3")
            try disk.syncDirectory("/b")
            disk.powerCut()
            return [try disk.sortedNames("/a"), try disk.sortedNames("/b")]
        }
        #expect(found == [[[], ["3"]], [["other"], ["3"]]])
    }

    @Test func `a file that is renamed again and again has exactly one name after a cut`() throws {
        let found = try outcomes { disk in
            try disk.durableDirectory("/a")
            try disk.durableDirectory("/b")
            try disk.durableFile("/a/0", [1])
            for step in 1..<6 {
                let (from, to) = step.isMultiple(of: 2) ? ("b", "a") : ("a", "b")
                try disk.rename("/\(from)/\(step - 1)", to: "/\(to)/\(step)")
            }
            disk.powerCut()
            return try disk.sortedNames("/a") + disk.sortedNames("/b")
        }
        #expect(found == Set((0..<6).map { ["\($0)"] }))
    }

    @Test func `a removal survives or not, and its file comes back with its content`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/file", [1])
            try disk.remove("/file")
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [nil, [1]])
    }

    @Test func `a removed file that is open stays readable until the cut`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.durableFile("/file", [1])
        try disk.remove("/file")
        try disk.syncDirectory("/")
        try file.write([2].span, at: 1)
        #expect(try file.read(at: 0, count: 9) == [1, 2])
        #expect(errno { try disk.link(file, as: "/again") } == ENOENT)
        disk.powerCut()
        #expect(try disk.names(in: "/") == [])
    }

    @Test func `a removed directory survives with what was in it, or not`() throws {
        let found = try outcomes(seeds: 1000) { disk in
            try disk.durableDirectory("/a")
            try disk.durableFile("/a/1", [1])
            try disk.remove("/a/1")
            #expect(try disk.removeEmptyDirectory("/a"))
            disk.powerCut()
            return (try? disk.sortedNames("/a")) ?? ["none"]
        }
        #expect(found == [["none"], [], ["1"]])
    }

    @Test func `an unnamed file vanishes unless it was linked and the link was synced`() throws {
        let found = try outcomes { disk in
            let file = try disk.unnamed(in: "/")
            try file.write([1].span, at: 0)
            try file.syncData()
            disk.powerCut()
            return try disk.sortedNames()
        }
        #expect(found == [[]])
        let linked = try outcomes { disk in
            let file = try disk.unnamed(in: "/")
            try file.write([1].span, at: 0)
            try file.syncData()
            try disk.link(file, as: "/file")
            try disk.syncDirectory("/")
            disk.powerCut()
            return try disk.content()
        }
        #expect(linked == [[1]])
    }

    @Test func `bytes live as long as a name does`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/1", [1])
            try disk.link(existing: "/1", as: "/2")
            try disk.remove("/1")
            disk.powerCut()
            return [try disk.content("/1"), try disk.content("/2")]
        }
        // The two changes are of two names: both may be lost, and the removal may survive alone.
        #expect(found == [[[1], nil], [[1], [1]], [nil, [1]], [nil, nil]])
    }

    @Test func `directories moved into each other are gone, and nothing else is`() throws {
        for seed in 0..<200 as Range<UInt64> {
            let disk = SimulatedFileSystem(seed: seed)
            try disk.durableDirectory("/a")
            try disk.durableDirectory("/b")
            try disk.durableFile("/file", [1])
            try disk.rename("/a", to: "/b/a")
            try disk.rename("/b/a", to: "/a")
            try disk.rename("/b", to: "/a/b")
            disk.powerCut()
            #expect(try disk.content() == [1], "\(disk)")
            #expect(try disk.space(at: "/").free > 0)
        }
    }

    @Test func `names are compared as bytes`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        _ = try disk.open("/\u{E9}", .createNew)
        _ = try disk.open("/e\u{301}", .createNew)
        #expect(try disk.names(in: "/").count == 2)
    }
}
