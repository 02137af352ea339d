public import Files
import Glibc

/// An open file of a `SimulatedFileSystem`. A directory that was opened for reading is one too, as on Linux.
public final class SimulatedFile: DiskFile {
    let fileSystem: SimulatedFileSystem
    let node: Node
    let generation: Int
    private let isWritable: Bool

    init(of fileSystem: SimulatedFileSystem, _ node: Node, generation: Int, isWritable: Bool) {
        (self.fileSystem, self.node, self.generation) = (fileSystem, node, generation)
        self.isWritable = isWritable
    }

    deinit {
        let node = node
        fileSystem.quietly(self) { $0.adjust(node, opens: -1) }
    }

    public var kernelDescriptor: Int32? { nil }

    /// For the trace.
    var inode: Int {
        switch node {
        case .file(let number), .directory(let number): number
        }
    }

    public func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(SystemError) {
        if bytes.isEmpty { return }
        guard case .file(let file) = node, isWritable else { throw DiskCall.write.error(EBADF) }
        guard let start = Int(exactly: offset) else { throw DiskCall.write.error(EINVAL) }
        // SAFETY: the bytes are lent for the closure, and copied within it.
        try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(SystemError) in
            try fileSystem.with(
                self, .write, offset: offset, count: UInt64(bytes.count),
                partly: { unsafe $0.writePartly(bytes, to: file, at: start, $1) }
            ) { (volume) throws(SystemError) in try unsafe volume.write(bytes, to: file, at: start) }
        }
    }

    public func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
        if count == 0 { return [] }
        guard case .file(let file) = node else { throw DiskCall.read.error(EISDIR) }
        guard let start = Int(exactly: offset) else { throw DiskCall.read.error(EINVAL) }
        return try fileSystem.with(self, .read, offset: offset, count: UInt64(count)) { (volume) throws(SystemError) in
            volume.files[file].content.read(at: start, count: count)
        }
    }

    public func read(at offset: UInt64, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        if buffer.isEmpty { return 0 }
        guard case .file(let file) = node else { throw DiskCall.read.error(EISDIR) }
        guard let start = Int(exactly: offset) else { throw DiskCall.read.error(EINVAL) }
        let count = UInt64(buffer.count)
        return try fileSystem.with(self, .read, offset: offset, count: count) { (volume) throws(SystemError) in
            volume.files[file].content.read(at: start, into: &buffer)
        }
    }

    public func size() throws(SystemError) -> UInt64 {
        try fileSystem.with(self, .size) { (volume) throws(SystemError) in
            switch node {
            case .file(let file): UInt64(volume.files[file].content.size)
            case .directory: UInt64(Volume.directoryBytes)
            }
        }
    }

    public func truncate(to size: UInt64) throws(SystemError) {
        guard case .file(let file) = node, isWritable else { throw DiskCall.truncate.error(EINVAL) }
        try fileSystem.with(self, .truncate, offset: size) { (volume) throws(SystemError) in
            try volume.truncate(file, to: Int(clamping: size))
        }
    }

    public func reserve(at offset: UInt64, count: UInt64) throws(SystemError) {
        if count == 0 { throw DiskCall.reserve.error(EINVAL) }
        guard case .file(let file) = node, isWritable else { throw DiskCall.reserve.error(EBADF) }
        let (end, overflow) = offset.addingReportingOverflow(count)
        try fileSystem.with(self, .reserve, offset: offset, count: count) { (volume) throws(SystemError) in
            try volume.reserve(file, upTo: overflow ? .max : Int(clamping: end))
        }
    }

    public func syncData() throws(SystemError) {
        try fileSystem.with(self, .syncData, partly: { [node] in $0.failSync(node, $1) }) {
            (volume) throws(SystemError) in
            volume.syncData(node)
        }
    }

    public func beginWriteback(at offset: UInt64, count: UInt64) throws(SystemError) {
        try writeback(.beginWriteback, at: offset, count: count)
    }

    public func finishWriteback(at offset: UInt64, count: UInt64) throws(SystemError) {
        try writeback(.finishWriteback, at: offset, count: count)
    }

    /// Any unsynced sector may become durable, with or without this. What a failure does is that of a sync.
    private func writeback(_ call: DiskCall, at offset: UInt64, count: UInt64) throws(SystemError) {
        try fileSystem.with(
            self, call, offset: offset, count: count, partly: { [node] in $0.failSync(node, $1) }
        ) { (_) throws(SystemError) in }
    }

    public func dropCache(at offset: UInt64, count: UInt64) {
        guard case .file(let file) = node else { return }
        // As posix_fadvise has it, no count says up to the end.
        let (start, length) = (Int(clamping: offset), count == 0 ? Int.max : Int(clamping: count))
        fileSystem.quietly(self) { $0.files[file].content.dropCache(at: start, count: min(length, .max - start)) }
    }
}
