import Files
import Glibc
import TestSupport
import Testing

@Suite struct OpenFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `an unnamed file leaves nothing behind`() throws {
        do {
            let file = try OpenFile.unnamed(in: folder.path)
            try file.write([1, 2, 3].span, at: 0)
            try file.syncData()
        }
        #expect(try LinuxDisk().names(in: folder.path) == [])
    }

    @Test func `a named file holds what was written at its offsets`() throws {
        let file = try OpenFile.unnamed(in: folder.path)
        try file.write([7, 8].span, at: 3)
        try file.write([1, 2, 3].span, at: 0)
        try file.link(as: folder.path + "/named")
        let opened = try OpenFile.open(folder.path + "/named", flags: O_RDONLY)
        #expect(try opened.size() == 5)
        #expect(try opened.read(at: 0, count: 100) == [1, 2, 3, 7, 8])
        #expect(try opened.read(at: 4, count: 100) == [8])
        #expect(try opened.read(at: 5, count: 100) == [])
    }

    @Test func `a taken name is not replaced`() throws {
        let path = folder.path + "/taken"
        try OpenFile.unnamed(in: folder.path).link(as: path)
        let second = try OpenFile.unnamed(in: folder.path)
        #expect { try second.link(as: path) } throws: { ($0 as? SystemError)?.errno == EEXIST }
    }

    @Test func `reading into a buffer fills it and says how far`() throws {
        let file = try OpenFile.unnamed(in: folder.path)
        try file.write([1, 2, 3, 4, 5].span, at: 0)
        var buffer: [UInt8] = [0, 0, 0]
        #expect(try file.read(at: 1, into: &buffer) == 3)
        #expect(buffer == [2, 3, 4])
        #expect(try file.read(at: 4, into: &buffer) == 1)
        #expect(buffer.first == 5)
        #expect(try file.read(at: 9, into: &buffer) == 0)
    }

    @Test func `writeback and cache hints leave the content as it is`() throws {
        let file = try OpenFile.unnamed(in: folder.path)
        let content = [UInt8](repeating: 0xA5, count: 1 << 20)
        try file.write(content.span, at: 0)
        try file.beginWriteback(at: 0, count: 1 << 20)
        try file.finishWriteback(at: 0, count: 1 << 20)
        file.dropCache(at: 0, count: 1 << 20)
        #expect(try file.read(at: 0, count: 1 << 20) == content)
    }

    @Test func `a missing file is said to be missing`() throws {
        #expect { try OpenFile.open(folder.path + "/none", flags: O_RDONLY) } throws: {
            ($0 as? SystemError)?.isNotFound == true
        }
    }
}
