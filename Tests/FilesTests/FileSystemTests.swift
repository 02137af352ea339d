import Files
import Glibc
import TestSupport
import Testing

@Suite struct FileSystemTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `making a directory says whether it was new`() throws {
        #expect(try FileSystem.makeDirectory(folder.path + "/a"))
        #expect(try !FileSystem.makeDirectory(folder.path + "/a"))
        #expect { try FileSystem.makeDirectory(folder.path + "/b/c") } throws: {
            ($0 as? SystemError)?.isNotFound == true
        }
        #expect(try FileSystem.names(in: folder.path) == ["a"])
    }

    @Test func `only empty directories are removed`() throws {
        let path = folder.path + "/a"
        try FileSystem.makeDirectory(path)
        try FileSystem.replace("file", in: path, with: [1])
        #expect(try !FileSystem.removeEmptyDirectory(path))
        #expect(try FileSystem.remove(path + "/file"))
        #expect(try FileSystem.removeEmptyDirectory(path))
        #expect(try !FileSystem.removeEmptyDirectory(path))
    }

    @Test func `replacing a file leaves the new content under one name`() throws {
        try FileSystem.replace("file", in: folder.path, with: [1, 2, 3])
        try FileSystem.replace("file", in: folder.path, with: [4])
        #expect(try FileSystem.contents(of: folder.path + "/file") == [4])
        #expect(try FileSystem.contents(of: folder.path + "/none") == nil)
        #expect(try FileSystem.names(in: folder.path) == ["file"])
    }

    @Test func `a linked file outlives its first name`() throws {
        try FileSystem.replace("a", in: folder.path, with: [9])
        try FileSystem.link(folder.path + "/a", as: folder.path + "/b")
        #expect(try FileSystem.remove(folder.path + "/a"))
        #expect(try !FileSystem.remove(folder.path + "/a"))
        #expect(try FileSystem.contents(of: folder.path + "/b") == [9])
    }

    @Test func `free space is known`() throws {
        #expect(try FileSystem.freeBytes(at: folder.path) > 0)
        #expect(throws: SystemError.self) { try FileSystem.freeBytes(at: folder.path + "/none") }
    }
}
