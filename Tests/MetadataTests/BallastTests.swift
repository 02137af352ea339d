import Files
import TestSupport
import Testing

@testable import Metadata

@Suite struct BallastTests {
    @Test func `it holds room, gives it up, and takes it again where there is enough`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ballast"
        let ballast = Ballast(disk: LinuxDisk(), path: path, bytes: 1 << 20)
        #expect(ballast.isHeld)
        #expect(try LinuxDisk().open(path, .read).size() == 1 << 20)
        ballast.giveUp()
        #expect(try !ballast.isHeld && !LinuxDisk().names(in: folder.path).contains("ballast"))
        // It looks once a second.
        while !ballast.isHeld { ballast.restore() }
        #expect(try LinuxDisk().open(path, .read).size() == 1 << 20)
    }

    @Test func `where none is wanted it counts as held`() throws {
        let folder = try TemporaryFolder()
        let ballast = Ballast(disk: LinuxDisk(), path: folder.path + "/ballast", bytes: 0)
        #expect(try ballast.isHeld && LinuxDisk().names(in: folder.path).isEmpty)
    }
}
