import RedoLog

/// What one round of `SQLiteStore.maintain` did.
public struct MaintenanceReport: Sendable, Equatable {
    /// The number of the last record in the base that was made; nil where none was due.
    public var base: UInt64?
    public var segmentsRemoved = 0
    public var blobsMoved = 0
    /// In bytes.
    public var bytesMoved: UInt64 = 0
    /// Segments that cannot be compacted because they cannot be read; for the log.
    public var damaged: [String] = []
}

/// Finds what keeps segments that are mostly dead from being removed.
///
/// What blobs still name of such a segment goes to the end of the log, as commits like any other, and the segment is removed as
/// soon as nothing needs it: no blob that lies in it, no database that would have to apply it again after a crash, and not the
/// oldest base that is kept.
struct Compactor {
    let segments: SegmentFiles

    /// A segment that is not written any more.
    struct Sealed {
        var number: UInt64
        /// Of its last record.
        var lastLSN: UInt64
        /// Before its first group.
        var start: LogPosition
        /// In bytes, without what lies behind its end.
        var size: UInt64
    }

    /// Ascending; fewer than there are where a header cannot be read.
    func sealed() throws(LogError) -> [Sealed] {
        var found: [Sealed] = []
        let numbers = try segments.numbers()
        for (number, next) in zip(numbers, numbers.dropFirst()) {
            guard let start = try segments.start(of: number), let end = try segments.start(of: next) else { break }
            found.append(Sealed(number: number, lastLSN: end.lsn, start: start.inside(number), size: end.offset))
        }
        return found
    }

    /// A blob that still lies in the segment, and its bytes.
    struct Relocation: Sendable {
        var blob: StoredBlob
        var bytes: [UInt8]

        var mutation: Mutation { .relocate(blob, bytes: bytes) }
    }

    /// Walks a segment.
    struct Walk {
        private var reader: LogReader
        private var pending: [LoggedChange] = []
        private let segment: Sealed
        private let segments: SegmentFiles

        init(_ segment: Sealed, _ segments: SegmentFiles) throws(LogError) {
            reader = try LogReader(files: segments, from: segment.start)
            (self.segment, self.segments) = (segment, segments)
        }

        /// The next blobs that lie in the segment, about `bytesMax` bytes and at most 64 of them; empty at its end. `place` says
        /// where a blob lies now.
        mutating func next(
            bytesMax: Int, place: (BlobID) throws(MetadataError) -> StoredBlob?
        ) throws(MetadataError) -> [Relocation] {
            var found: [Relocation] = []
            var bytes = 0
            while found.count < 64, bytes < bytesMax {
                if pending.isEmpty {
                    guard reader.position.segment == segment.number, reader.position.offset < segment.size else {
                        break
                    }
                    do {
                        guard let changes = try reader.next() else { break }
                        pending = changes.reversed()
                    } catch { throw MetadataError(error) }
                    continue
                }
                let change = pending.removeLast()
                guard let payload = change.payload, let id = try Compactor.blob(of: change), let blob = try place(id),
                    blob.location == .segment(payload.segment, offset: payload.offset)
                else { continue }
                do { found.append(Relocation(blob: blob, bytes: try segments.payload(at: payload))) } catch {
                    throw MetadataError(error)
                }
                bytes += Int(payload.length)
            }
            return found
        }

    }

    /// The blob whose bytes are the payload of a change.
    static func blob(of change: LoggedChange) throws(MetadataError) -> BlobID? {
        for change in try Records.decision(change.body).0.changes {
            switch change {
            case .blobAdded(let id, _, _, isInLog: true), .blobMoved(let id, _): return id
            default: continue
            }
        }
        return nil
    }
}
