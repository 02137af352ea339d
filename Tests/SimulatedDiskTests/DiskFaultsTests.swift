import Files
import Glibc
import SimulatedDisk
import Testing

@Suite struct DiskFaultsTests {
    @Test func `the k-th call fails with the given error and has no effect`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        try disk.makeDirectory("/a")
        disk.faults = DiskFaults(scheduled: [.init(number: 2, errno: EMFILE)])
        _ = try disk.open("/a/1", .createNew)
        #expect(errno { _ = try disk.open("/a/2", .createNew) } == EMFILE)
        _ = try disk.open("/a/3", .createNew)
        #expect(try disk.sortedNames("/a") == ["1", "3"])
        #expect(disk.callCount == 4)
    }

    @Test func `calls of one kind are counted apart, and a fault may last`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        disk.faults = DiskFaults(scheduled: [.init(.rename, number: 2, errno: EIO, isLasting: true)])
        _ = try disk.open("/1", .createNew)
        try disk.rename("/1", to: "/2")
        #expect(errno { try disk.rename("/2", to: "/3") } == EIO)
        #expect(errno { try disk.rename("/2", to: "/3") } == EIO)
        #expect(disk.callCount(of: .rename) == 3)
        #expect(try disk.sortedNames() == ["2"])
    }

    @Test func `every kind of call can fail`() throws {
        for call in DiskCall.allCases {
            let disk = SimulatedFileSystem(seed: 1)
            let file = try disk.durableFile("/file", [1])
            let unnamed = try disk.unnamed(in: "/")
            disk.faults = DiskFaults(scheduled: [.init(call, number: 1, errno: EIO, isLasting: true)])
            let found = errno {
                _ = try disk.open("/file", .read)
                _ = try disk.unnamed(in: "/")
                try disk.link(unnamed, as: "/unnamed")
                try disk.link(existing: "/file", as: "/link")
                try disk.rename("/link", to: "/renamed")
                try disk.remove("/renamed")
                try disk.makeDirectory("/a")
                try disk.removeEmptyDirectory("/a")
                _ = try disk.names(in: "/")
                try disk.syncDirectory("/")
                _ = try disk.space(at: "/")
                try file.write([2].span, at: 0)
                _ = try file.read(at: 0, count: 1)
                _ = try file.size()
                try file.truncate(to: 0)
                try file.reserve(at: 0, count: 1)
                try file.syncData()
                try file.beginWriteback(at: 0, count: 1)
                try file.finishWriteback(at: 0, count: 1)
            }
            #expect(found == EIO, "\(call)")
            #expect(disk.callCount(of: call) == 1)
        }
    }

    @Test func `a write that fails has written some of its first sectors`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1, 1536))
            disk.faults = DiskFaults(scheduled: [.init(.write, number: 1, errno: EIO)])
            #expect(errno { try file.write(fill(2, 1300).span, at: 100) } == EIO)
            return try disk.content()
        }
        let starts = [100, 512, 1024, 1400]
        #expect(found == Set(starts.map { fill(1, 100) + fill(2, $0 - 100) + fill(1, 1536 - $0) }))
    }

    @Test func `a write that fails has written as many sectors as were asked for`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        let file = try disk.durableFile()
        disk.faults = DiskFaults(scheduled: [.init(.write, number: 1, errno: ENOSPC, sectorsWritten: 2)])
        #expect(errno { try file.write(fill(2, 1300).span, at: 0) } == ENOSPC)
        #expect(try disk.content() == fill(2, 1024))
    }

    @Test func `after a failed sync a read may see either content, and a second sync falsely succeeds`() throws {
        let found = try outcomes(seeds: 2000) { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 0)
            disk.faults = DiskFaults(scheduled: [.init(.syncData, number: 1, errno: EIO)])
            #expect(errno { try file.syncData() } == EIO)
            let seen = try file.read(at: 0, count: 512)
            try file.syncData()
            disk.powerCut()
            return [seen, try disk.content() ?? []]
        }
        // What the cache dropped was not durable: the fourth pair does not come up.
        #expect(found == [[fill(1), fill(1)], [fill(2), fill(1)], [fill(2), fill(2)]])
    }

    @Test func `dropping the cache after a failed sync shows what is durable`() throws {
        let found = try outcomes(seeds: 1000) { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 0)
            disk.faults = DiskFaults(scheduled: [.init(.beginWriteback, number: 1, errno: EIO)])
            #expect(errno { try file.beginWriteback(at: 0, count: 0) } == EIO)
            file.dropCache(at: 0, count: 0)
            let seen = try file.read(at: 0, count: 512)
            disk.powerCut()
            return [seen, try disk.content() ?? []]
        }
        #expect(found == [[fill(1), fill(1)], [fill(2), fill(2)]])
    }

    @Test func `a write after a failed sync makes its whole sector durable with the next sync`() throws {
        let found = try outcomes(seeds: 1000) { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 0)
            disk.faults = DiskFaults(scheduled: [.init(.syncData, number: 1, errno: EIO)])
            #expect(errno { try file.syncData() } == EIO)
            try file.write([3].span, at: 0)
            try file.syncData()
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [[3] + fill(1, 511), [3] + fill(2, 511)])
    }

    @Test func `an append whose sync failed may be gone although later syncs succeed`() throws {
        let found = try outcomes(seeds: 2000) { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 512)
            disk.faults = DiskFaults(scheduled: [.init(.syncData, number: 1, errno: EIO)])
            #expect(errno { try file.syncData() } == EIO)
            #expect(try file.size() == 1024)
            try file.syncData()
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1), fill(1) + fill(0), fill(1) + fill(2)])
    }

    @Test func `after a failed sync of a directory a second one falsely succeeds`() throws {
        let found = try outcomes { disk in
            _ = try disk.open("/1", .create)
            disk.faults = DiskFaults(scheduled: [.init(.syncDirectory, number: 1, errno: EIO)])
            #expect(errno { try disk.syncDirectory("/") } == EIO)
            _ = try disk.open("/2", .create)
            try disk.syncDirectory("/")
            disk.powerCut()
            return try disk.sortedNames()
        }
        #expect(found == [["2"], ["1", "2"]])
    }

    @Test func `a change that was synced brings the forgotten ones of its name with it`() throws {
        let found = try outcomes { disk in
            try disk.durableFile("/1", [1])
            disk.faults = DiskFaults(scheduled: [.init(.syncDirectory, number: 1, errno: EIO)])
            try disk.remove("/1")
            #expect(errno { try disk.syncDirectory("/") } == EIO)
            _ = try disk.open("/1", .createNew)
            try disk.syncDirectory("/")
            disk.powerCut()
            return try disk.content("/1")
        }
        #expect(found == [[]])
    }

    @Test func `a full disk takes what there is room for, and removing makes room again`() throws {
        let disk = SimulatedFileSystem(seed: 1, faults: DiskFaults(capacity: 4096 + 2048))
        let file = try disk.open("/file", .create)
        #expect(try disk.space(at: "/") == DiskSpace(total: 6144, free: 2048))
        #expect(errno { try file.write(fill(1, 3000).span, at: 0) } == ENOSPC)
        #expect(try file.size() == 2048)
        #expect(errno { try file.reserve(at: 2048, count: 1) } == ENOSPC)
        #expect(errno { try disk.makeDirectory("/a") } == ENOSPC)
        // What is there is written in place.
        try file.write(fill(2, 2048).span, at: 0)
        try file.truncate(to: 600)
        #expect(try disk.space(at: "/").free == 1024)
        try file.reserve(at: 0, count: 1500)
        #expect(try disk.space(at: "/").free == 512)
        try disk.remove("/file")
        #expect(try disk.space(at: "/").free == 512)
    }

    @Test func `room is free again when no name and no handle is left, and after a cut`() throws {
        let disk = SimulatedFileSystem(seed: 1, faults: DiskFaults(capacity: 1 << 20))
        let free = try disk.space(at: "/").free
        do {
            let file = try disk.durableFile("/file", fill(1, 1000))
            try disk.link(existing: "/file", as: "/link")
            try disk.remove("/file")
            try disk.remove("/link")
            try disk.syncDirectory("/")
            #expect(try disk.space(at: "/").free == free - 1024)
            _ = try file.size()
        }
        #expect(try disk.space(at: "/").free == free)
        let unnamed = try disk.unnamed(in: "/")
        try unnamed.write(fill(1, 100).span, at: 0)
        #expect(try disk.space(at: "/").free == free - 512)
        disk.powerCut()
        #expect(errno { _ = try unnamed.size() } == EIO)
        #expect(try disk.space(at: "/").free == free)
        try disk.durableFile("/file", fill(1, 100))
        disk.powerCut()
        #expect(try disk.space(at: "/").free == free - 512)
    }

    @Test func `a file has at most as many names as are allowed`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        try disk.durableFile("/0")
        disk.faults.linksMax = 2
        try disk.link(existing: "/0", as: "/1")
        #expect(errno { try disk.link(existing: "/0", as: "/2") } == EMLINK)
    }

    @Test func `when the power fails during a call it may be done, and all later calls fail`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/1", fill(1))
            disk.faults = DiskFaults(powerFailsAtCall: 2)
            _ = try file.size()
            #expect(errno { try disk.rename("/1", to: "/2") } == EIO)
            #expect(errno { try disk.syncDirectory("/") } == EIO)
            #expect(errno { _ = try file.size() } == EIO)
            #expect(disk.callCount == 2)
            disk.powerCut()
            return try disk.sortedNames()
        }
        #expect(found == [["1"], ["2"]])
    }

    @Test func `a sync during which the power fails makes nothing durable for sure`() throws {
        let found = try outcomes { disk in
            let file = try disk.durableFile("/file", fill(1))
            try file.write(fill(2).span, at: 0)
            disk.faults = DiskFaults(powerFailsAtCall: 1)
            #expect(errno { try file.syncData() } == EIO)
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [fill(1), fill(2)])
    }

    @Test func `a disk that ignores syncs loses what was synced`() throws {
        let found = try outcomes { disk in
            disk.faults.ignoresSyncData = true
            try disk.durableFile("/file", fill(1))
            disk.powerCut()
            return try disk.content()
        }
        #expect(found == [[], fill(0), fill(1)])
        let names = try outcomes { disk in
            disk.faults.ignoresSyncDirectory = true
            try disk.durableFile("/file", fill(1))
            disk.powerCut()
            return try disk.content()
        }
        #expect(names == [nil, fill(1)])
    }

    @Test func `one bit of a durable file is flipped`() throws {
        let disk = SimulatedFileSystem(seed: 1)
        #expect(disk.flipRandomBit() == nil)
        try disk.durableFile("/file", fill(1, 1000))
        try disk.durableFile("/other", fill(2, 1000))
        let flipped = try #require(disk.flipRandomBit { $0 == "/other" })
        #expect(flipped.path == "/other")
        var expected = fill(2, 1000)
        expected[Int(flipped.offset)] ^= 1 << UInt8(flipped.bit)
        #expect(try disk.content("/other") == expected)
        disk.powerCut()
        #expect(try disk.content("/other") == expected)
        #expect(try disk.content() == fill(1, 1000))
        #expect(disk.flipBit(0, of: "/file", at: 999))
        #expect(!disk.flipBit(0, of: "/file", at: 1000))
        #expect(try disk.content()?.last == 0)
    }

    @Test func `the trace shows the seed and the last calls`() throws {
        let disk = SimulatedFileSystem(seed: 77, traceLength: 3)
        let file = try disk.durableFile("/file", [1])
        _ = try? disk.open("/none", .read)
        try file.write([1, 2].span, at: 5)
        disk.powerCut()
        let lines = "\(disk)".split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].contains("seed 77"))
        #expect(lines[1].hasSuffix("open /none: No such file or directory"))
        #expect(lines[2].hasSuffix("write of inode 0 at 5, 2 bytes"))
        #expect(lines[3].hasSuffix("power cut"))
    }
}
