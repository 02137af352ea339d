import Files
import TestSupport
import Testing

@Suite struct DataFolderTests {
    let folder: TemporaryFolder
    var path: String { folder.path + "/store" }

    init() throws { folder = try TemporaryFolder() }

    @Test func `a new folder is made ready, and opened again it is the same store`() throws {
        let first = try DataFolder.open(path)
        #expect(first.id.count == 16 && first.formerFormat == nil)
        #expect(DataFolder.isStore(path) && !DataFolder.isStore(folder.path))
        first.close()
        let second = try DataFolder.open(path)
        #expect(second.id == first.id && second.formerFormat == DataFolder.format)
    }

    @Test func `a second opener is told which folder is in use`() throws {
        let first = try DataFolder.open(path)
        #expect(throws: DataFolderError.inUse(path)) { try DataFolder.open(path) }
        #expect("\(DataFolderError.inUse(path))".contains(path))
        first.close()
        _ = try DataFolder.open(path)
    }

    @Test(arguments: ["ogw-store 999\n", "ogw-store 2\n", "ogw-store 2\nid 00\n", "", "something else"])
    func `a folder of another format is refused in one sentence and left as it is`(text: String) throws {
        try LinuxDisk().makeDirectory(path)
        try LinuxDisk().replace("FORMAT", in: path, with: [UInt8](text.utf8))
        #expect { try DataFolder.open(path) } throws: {
            if case .unknownFormat = $0 as? DataFolderError { !"\($0)".contains("\n") } else { false }
        }
        #expect(try Set(LinuxDisk().names(in: path)) == ["FORMAT"])
        #expect(try LinuxDisk().contents(of: path + "/FORMAT") == [UInt8](text.utf8))
    }

    @Test func `a folder without a log is opened as such, and not as one with a log, nor the other way round`() throws {
        let first = try DataFolder.open(path, hasLog: false)
        #expect(try LinuxDisk().contents(of: path + "/FORMAT")?.suffix(9) == [UInt8]("log=none\n".utf8)[...])
        first.close()
        #expect(throws: DataFolderError.otherMetadata(folder: path, hasLog: false)) { try DataFolder.open(path) }
        let second = try DataFolder.open(path, hasLog: false)
        #expect(second.id == first.id && second.formerFormat == DataFolder.format)
        let other = folder.path + "/other"
        try DataFolder.open(other).close()
        #expect(throws: DataFolderError.otherMetadata(folder: other, hasLog: true)) {
            try DataFolder.open(other, hasLog: false)
        }
    }

    @Test func `folders of a store without its FORMAT are refused`() throws {
        try LinuxDisk().makeDirectory(path)
        try LinuxDisk().makeDirectory(path + "/obj")
        #expect { try DataFolder.open(path) } throws: {
            if case .unknownFormat = $0 as? DataFolderError { true } else { false }
        }
    }

    @Test func `a store of the first format is opened and gets an id`() throws {
        try LinuxDisk().makeDirectory(path)
        try LinuxDisk().makeDirectory(path + "/obj")
        try LinuxDisk().replace("FORMAT", in: path, with: [UInt8]("ogw-store 1\n".utf8))
        let opened = try DataFolder.open(path)
        #expect(opened.formerFormat == 1)
        opened.close()
        #expect(try DataFolder.open(path).id == opened.id)
    }
}
