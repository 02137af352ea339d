public import Metadata
import Threads

/// Ids of blobs for one of several gateways: from ranges that the metadata store gives to each but once.
public final class BlobIDRanges: Sendable {
    /// Gives `count` ids that nobody was given before and nobody will be.
    public typealias Reserve = @Sendable (_ count: UInt64) async throws(MetadataError) -> Range<UInt64>

    private let reserve: Reserve
    private let count: UInt64
    private let ranges = Lock<[Range<UInt64>]>([])

    /// `count` ids are asked for at a time; those that are left when the process ends are never used.
    public init(count: UInt64 = 4096, reserve: @escaping Reserve) {
        self.count = max(1, count)
        self.reserve = reserve
    }

    func next() async throws(BucketsError) -> BlobID {
        while true {
            if let id = take() { return BlobID(id) }
            do {
                let range = try await reserve(count)
                guard !range.isEmpty else { throw BucketsError.unavailable("the metadata store gave no ids for blobs") }
                ranges.withLock { $0.append(range) }
            } catch let error as MetadataError {
                throw .unavailable("no ids for blobs: \(error)")
            } catch let error as BucketsError {
                throw error
            } catch {
                throw .unavailable("\(error)")
            }
        }
    }

    private func take() -> UInt64? {
        ranges.withLock { ranges in
            guard let first = ranges.first, !first.isEmpty else { return nil }
            let id = first.lowerBound
            if first.count == 1 { ranges.removeFirst() } else { ranges[0] = id + 1..<first.upperBound }
            return id
        }
    }
}
