import Files
import TestSupport
import Testing

@Suite struct FileLockTests {
    @Test func `a held lock is refused and a released one is given`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/LOCK"
        var held = try FileLock.acquire(path)
        #expect(held != nil)
        #expect(try FileLock.acquire(path) == nil)
        held = nil
        #expect(try FileLock.acquire(path) != nil)
    }
}
