import CrashHistory
import Testing

@Suite struct WrittenContentTests {
    let content = WrittenContent(key: "plain/a", id: 42, size: 1003)

    @Test func `A range is the same bytes as in the whole`() {
        let all = content.bytes
        #expect(all.count == 1003)
        for range in [0..<1, 0..<1003, 5..<6, 7..<9, 8..<16, 100..<1003, 1002..<1003] {
            #expect(content.bytes(in: range) == [UInt8](all[range]))
        }
        #expect(WrittenContent(key: "a", id: 1, size: 0).bytes.isEmpty)
    }

    @Test func `Bytes of another key, another write, or two writes mixed are told apart`() {
        #expect(content.difference(content.bytes) == nil)
        #expect(content.difference(WrittenContent(key: "plain/b", id: 42, size: 1003).bytes) != nil)
        let other = WrittenContent(key: "plain/a", id: 43, size: 1003).bytes
        #expect(content.difference(other) != nil)
        #expect(content.difference([UInt8](content.bytes[..<500] + other[500...]))?.contains("first at 500") == true)
    }

    @Test func `A torn body is named by its length or its zeros`() {
        #expect(content.difference([UInt8](content.bytes.dropLast()))?.contains("1002 bytes instead of 1003") == true)
        let torn = content.bytes[..<400] + [UInt8](repeating: 0, count: 603)
        #expect(content.difference([UInt8](torn))?.contains("first at 40") == true)
    }
}
