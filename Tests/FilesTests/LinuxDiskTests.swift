import Files
import Glibc
import TestSupport
import Testing

@Suite struct LinuxDiskTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `making a directory says whether it was new`() throws {
        #expect(try LinuxDisk().makeDirectory(folder.path + "/a"))
        #expect(try !LinuxDisk().makeDirectory(folder.path + "/a"))
        #expect { try LinuxDisk().makeDirectory(folder.path + "/b/c") } throws: {
            ($0 as? SystemError)?.isNotFound == true
        }
        #expect(try LinuxDisk().names(in: folder.path) == ["a"])
    }

    @Test func `only empty directories are removed`() throws {
        let path = folder.path + "/a"
        try LinuxDisk().makeDirectory(path)
        try LinuxDisk().replace("file", in: path, with: [1])
        #expect(try !LinuxDisk().removeEmptyDirectory(path))
        #expect(try LinuxDisk().remove(path + "/file"))
        #expect(try LinuxDisk().removeEmptyDirectory(path))
        #expect(try !LinuxDisk().removeEmptyDirectory(path))
    }

    @Test func `replacing a file leaves the new content under one name`() throws {
        try LinuxDisk().replace("file", in: folder.path, with: [1, 2, 3])
        try LinuxDisk().replace("file", in: folder.path, with: [4])
        #expect(try LinuxDisk().contents(of: folder.path + "/file") == [4])
        #expect(try LinuxDisk().contents(of: folder.path + "/none") == nil)
        #expect(try LinuxDisk().names(in: folder.path) == ["file"])
    }

    @Test func `a linked file outlives its first name`() throws {
        try LinuxDisk().replace("a", in: folder.path, with: [9])
        try LinuxDisk().link(existing: folder.path + "/a", as: folder.path + "/b")
        #expect(try LinuxDisk().remove(folder.path + "/a"))
        #expect(try !LinuxDisk().remove(folder.path + "/a"))
        #expect(try LinuxDisk().contents(of: folder.path + "/b") == [9])
    }

    @Test func `free space is known`() throws {
        #expect(try LinuxDisk().space(at: folder.path).free > 0)
        #expect(throws: SystemError.self) { try LinuxDisk().space(at: folder.path + "/none").free }
    }
}
