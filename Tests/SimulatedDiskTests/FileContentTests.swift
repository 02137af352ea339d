import Files
import Glibc
import SimulatedDisk
import Testing

/// What a power cut leaves of the content of one file.
@Suite struct FileContentTests {
    @Test func `synced content survives every cut`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/file", fill(1, 1300))
            disk.powerCut()
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1, 1300)])
    }

    @Test func `each unsynced sector survives or not, whatever becomes of the others`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 1536))
            try file.write(fill(2, 1536).span, at: 0)
            disk.powerCut()
            return try disk.content()
        }
        let sectors = [fill(1), fill(2)]
        let all = sectors.flatMap { a in sectors.flatMap { b in sectors.map { c in a + b + c } } }
        #expect(found == Set(all))
    }

    @Test func `a sector is one of the contents that it had, never half of one`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2, 100).span, at: 0)
            try file.write(fill(3, 100).span, at: 300)
            disk.powerCut()
            return try disk.content()
        }
        let second = fill(2, 100) + fill(1, 412)
        let third = fill(2, 100) + fill(1, 200) + fill(3, 100) + fill(1, 112)
        #expect(found == [fill(1), second, third])
    }

    @Test func `a write within two sectors may be torn between them`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 1024))
            try file.write(fill(2, 200).span, at: 412)
            disk.powerCut()
            let content = try disk.content() ?? []
            return [[UInt8](content[412..<512]), [UInt8](content[512..<612])]
        }
        let parts = [fill(1, 100), fill(2, 100)]
        #expect(found == Set(parts.flatMap { a in parts.map { [a, $0] } }))
    }

    @Test func `an append survives with its data, as zeros, or not at all`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 512)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1), fill(1) + fill(0), fill(1) + fill(2)])
    }

    @Test func `an append within a sector survives with its data, as zeros, or not at all`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 10))
            try file.write(fill(2, 10).span, at: 10)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1, 10), fill(1, 10) + fill(0, 10), fill(1, 10) + fill(2, 10)])
    }

    @Test func `bytes beyond a size that survived are gone, also when the file grows again`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/file", fill(1, 10)).write(fill(2, 10).span, at: 10)
            disk.powerCut()
            let file = try disk.open("/file", .update)
            try file.truncate(to: 10)
            try file.truncate(to: 20)
            return try disk.content()
        }
        #expect(found == [fill(1, 10) + fill(0, 10)])
    }

    @Test func `a truncation survives or not`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 1536))
            try file.truncate(to: 512)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1, 512), fill(1, 1536)])
    }

    @Test func `what is written after a truncation does not show in the former content`() throws {
        let found = try outcomes(seeds: 1000) { disk in
            let file = try disk.durableFile("/file", fill(1, 1024))
            try file.truncate(to: 0)
            try file.write(fill(2, 1024).span, at: 0)
            disk.powerCut()
            return try disk.content()
        }
        let parts = [fill(0), fill(2)]
        #expect(found == Set([fill(1, 1024), []] + parts.flatMap { a in parts.map { a + $0 } }))
    }

    @Test func `a synced truncation survives, and what it cut off does not come back`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 1024))
            try file.truncate(to: 100)
            try file.syncData()
            try file.truncate(to: 600)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1, 100), fill(1, 100) + fill(0, 500)])
    }

    @Test func `a sync reaches all handles of a file, and no other file`() throws {
        let found = try outcomes { disk in
            let (first, other) = (try disk.durableFile(), try disk.durableFile("/other"))
            try first.write(fill(1).span, at: 0)
            try other.write(fill(2).span, at: 0)
            try disk.open("/file", .read).syncData()
            disk.powerCut()
            return [try disk.content(), try disk.content("/other")]
        }
        #expect(found == [[fill(1), []], [fill(1), fill(0)], [fill(1), fill(2)]])
    }

    @Test func `writeback makes nothing durable`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 0)
            try file.beginWriteback(at: 0, count: 512)
            try file.finishWriteback(at: 0, count: 512)
            file.dropCache(at: 0, count: 512)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1), fill(2)])
    }

    @Test func `files with holes read as zeros`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.open("/file", .create)
        try file.truncate(to: 1 << 40)
        try file.write([7].span, at: 5000)
        #expect(try file.read(at: 4999, count: 3) == [0, 7, 0])
        #expect(try file.read(at: (1 << 40) - 2, count: 100) == [0, 0])
        var buffer = fill(9, 4)
        #expect(try file.read(at: 4999, into: &buffer) == 4)
        #expect(buffer == [0, 7, 0, 0])
        #expect(try file.read(at: 1 << 39, into: &buffer) == 4)
        #expect(buffer == [0, 0, 0, 0])
    }

    @Test func `reserving leaves the size`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.open("/file", .create)
        try file.reserve(at: 0, count: 1 << 20)
        #expect(try file.size() == 0)
    }

    @Test func `handles from before a cut are dead`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.durableFile("/file", [1])
        disk.powerCut()
        #expect(errno { _ = try file.read(at: 0, count: 1) } == EIO)
        #expect(errno { try file.write([2].span, at: 0) } == EIO)
        #expect(errno { try file.syncData() } == EIO)
        #expect(errno { _ = try file.size() } == EIO)
        #expect(errno { try disk.link(file, as: "/other") } == EIO)
        #expect(try disk.content() == [1])
    }

    @Test func `a killed process loses its handles and nothing that it wrote`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.open("/file", .create)
        try file.write([1, 2].span, at: 0)
        let unnamed = try disk.unnamed(in: "/")
        disk.killProcess()
        #expect(try disk.content() == [1, 2])
        #expect(errno { try file.write([3].span, at: 0) } == EIO)
        #expect(errno { try disk.link(unnamed, as: "/other") } == EIO)
    }

    @Test func `a copy after a cut leaves the file system as it is`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.durableFile("/file", fill(1))
        try file.write(fill(2).span, at: 0)
        let found = try Set((0..<100).map { try disk.copyAfterPowerCut(seed: $0).content() })
        #expect(found == [fill(1), fill(2)])
        #expect("\(disk.copyAfterPowerCut(seed: 7))".contains("seed 1, and 7 of a copy"))
        try file.syncData()
        #expect(try disk.copyAfterPowerCut(seed: 1).content() == fill(2))
        #expect(try file.read(at: 0, count: 1) == [2])
    }

    @Test func `the same seed gives the same outcome`() throws {
        for seed in 0..<10 as Range<UInt64> {
            let contents = try (0..<3).map { _ in
                let disk = SimulatedFileSystem(seed: seed)
                for name in 0..<20 {
                    let file = try disk.open("/\(name)", .create)
                    try file.write(fill(UInt8(name), 5000).span, at: 0)
                }
                disk.powerCut()
                return try disk.names(in: "/").map { [try disk.content("/\($0)") ?? [], [UInt8]($0.utf8)] }
            }
            #expect(contents[0] == contents[1] && contents[1] == contents[2], "seed \(seed)")
        }
    }
}
