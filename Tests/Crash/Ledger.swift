import Bytes
import CrashHistory
import Digests
import Threads

/// What the clients of a run have written, and under which names it may come back. Used by all threads.
final class Ledger: Sendable {
    struct Write: Sendable {
        var key: Key
        /// As sent, with quotes; nil for a copy whose answer did not come.
        var etag: String?
        /// For a copy.
        var source: Key?
    }

    /// A version that calls may name.
    struct Version: Sendable, Equatable {
        var id: String
        var entry: EntryID
        var isMarker: Bool
    }

    private struct Book {
        var next: EntryID = 1
        var writes: [EntryID: Write] = [:]
        var contents: [String: WrittenContent] = [:]
        var entries: [String: EntryID] = [:]
        var versions: [Key: [Version]] = [:]
        var findings: [String] = []
    }

    private let book = Lock(Book())

    func newID() -> EntryID {
        book.withLock { book in
            defer { book.next += 1 }
            return book.next
        }
    }

    /// To be called before the write is sent. `etags` are all that the content may have.
    func begin(_ content: WrittenContent, on key: Key, etag: String, others: [String] = []) {
        book.withLock { book in
            book.writes[content.id] = Write(key: key, etag: etag)
            for etag in [etag] + others { book.contents[etag] = content }
        }
    }

    func beginCopy(_ id: EntryID, from source: Key, to key: Key) {
        book.withLock { $0.writes[id] = Write(key: key, etag: nil, source: source) }
    }

    func settleCopy(_ id: EntryID, etag: String) { book.withLock { $0.writes[id]?.etag = etag } }

    func write(_ id: EntryID) -> Write? { book.withLock { $0.writes[id] } }

    /// The bytes that go with an ETag; nil where nobody wrote such bytes.
    func content(_ etag: String) -> WrittenContent? { book.withLock { $0.contents[etag] } }

    /// All writes of each key.
    func writesByKey() -> [Key: [(id: EntryID, etag: String?)]] {
        let writes = book.withLock { $0.writes }
        return Dictionary(grouping: writes) { $0.value.key }.mapValues { $0.map { (id: $0.key, etag: $0.value.etag) } }
    }

    /// Binds a version id to what it names. Returns what it was bound to before, where that is something else.
    @discardableResult
    func name(_ versionID: String, _ entry: EntryID, of key: Key, isMarker: Bool) -> EntryID? {
        book.withLock { book in
            if let known = book.entries[versionID] { return known == entry ? nil : known }
            book.entries[versionID] = entry
            book.versions[key, default: []].append(Version(id: versionID, entry: entry, isMarker: isMarker))
            return nil
        }
    }

    func entry(named versionID: String) -> EntryID? { book.withLock { $0.entries[versionID] } }

    func isNamed(_ entry: EntryID) -> Bool { book.withLock { $0.entries.values.contains(entry) } }

    func versions(of key: Key) -> [Version] { book.withLock { $0.versions[key] ?? [] } }

    /// No call is to name this version any more.
    func forget(_ version: Version, of key: Key) {
        book.withLock { $0.versions[key]?.removeAll { $0 == version } }
    }

    /// Forgets all that is neither in these states nor being uploaded.
    func compact(_ states: [Key: KeyState], keeping uploads: [WrittenContent]) {
        let alive = Set(states.values.flatMap(\.entries).map(\.id) + uploads.map(\.id))
        book.withLock { book in
            book.writes = book.writes.filter { alive.contains($0.key) }
            let etags = Set(book.writes.values.compactMap(\.etag))
            book.contents = book.contents.filter { etags.contains($0.key) || alive.contains($0.value.id) }
            book.entries = book.entries.filter { alive.contains($0.value) }
            book.versions = book.versions.mapValues { $0.filter { alive.contains($0.entry) } }
        }
    }

    /// Something that no store may do.
    func find(_ sentence: String) { book.withLock { if $0.findings.count < 50 { $0.findings.append(sentence) } } }

    func takeFindings() -> [String] {
        book.withLock { book in
            defer { book.findings = [] }
            return book.findings
        }
    }

    /// The ETag of bytes that one call wrote.
    static func etag(_ bytes: [UInt8]) -> String { "\"\(Hex.string(Digest.md5(bytes)))\"" }

    /// The ETag of a completed upload (S3: the digest of the parts' digests, and their count).
    static func etag(ofParts digests: [[UInt8]]) -> String {
        "\"\(Hex.string(Digest.md5([UInt8](digests.joined()))))-\(digests.count)\""
    }
}
