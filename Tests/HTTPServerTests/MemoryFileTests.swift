import Files
import HTTPServer
import Testing

/// A file that the kernel does not know, such as a simulated disk has.
private final class MemoryFile: DiskFile {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var kernelDescriptor: Int32? { nil }
    func read(at offset: UInt64, count: Int) -> [UInt8] {
        [UInt8](bytes.dropFirst(Int(offset)).prefix(count))
    }
    func read(at offset: UInt64, into buffer: inout [UInt8]) -> Int {
        let read = read(at: offset, count: buffer.count)
        buffer.replaceSubrange(0..<read.count, with: read)
        return read.count
    }
    func size() -> UInt64 { UInt64(bytes.count) }
    func write(_ bytes: Span<UInt8>, at offset: UInt64) {}
    func truncate(to size: UInt64) {}
    func reserve(at offset: UInt64, count: UInt64) {}
    func syncData() {}
    func beginWriteback(at offset: UInt64, count: UInt64) {}
    func finishWriteback(at offset: UInt64, count: UInt64) {}
    func dropCache(at offset: UInt64, count: UInt64) {}
}

@Suite struct MemoryFileTests {
    @Test(arguments: [100, 1_500_000])
    func `a file that the kernel does not know is read and sent`(length: Int) async throws {
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        let file = MemoryFile(bytes)
        try await withServer(handler: { _, _ in
            Response(status: 200, body: .files([FileSlice(file: file, offset: 5, length: UInt64(length))]))
        }) { server in
            let client = try server.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.reply().body == Array(bytes[5..<5 + length]))
        }
    }
}
