import Metadata
import Threads

/// The check values of blobs on the engine that were read last, so that a further read asks for content only.
final class TableCache: Sendable {
    private let bytesMax: Int
    private let state = Lock(State())

    fileprivate struct State {
        var tables: [BlobID: [UInt32]] = [:]
        var bytes = 0
    }

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    func table(of blob: BlobID) -> [UInt32]? { state.withLock { $0.tables[blob] } }

    func insert(_ table: [UInt32], of blob: BlobID) {
        guard table.count * 4 <= bytesMax / 4 else { return }
        state.withLock { state in
            state.remove(blob)
            state.tables[blob] = table
            state.bytes += table.count * 4
            // Which one goes does not matter much: it is read again.
            while state.bytes > bytesMax, let (other, _) = state.tables.first(where: { $0.key != blob }) {
                state.remove(other)
            }
        }
    }

    func remove(_ blob: BlobID) { state.withLock { $0.remove(blob) } }
}

extension TableCache.State {
    fileprivate mutating func remove(_ blob: BlobID) { bytes -= (tables.removeValue(forKey: blob)?.count ?? 0) * 4 }
}
