import Bytes
import SQLite

extension Rows {
    /// Reads as many index entries as the page has entries: below a delimiter it seeks past each common prefix.
    func listObjects(_ query: ListQuery) throws(MetadataError) -> ListPage {
        var page = ListPage(objects: [], commonPrefixes: [], isTruncated: false, last: nil)
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        guard query.limit > 0,
            let start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.after)
        else { return page }
        try connection.with(
            """
            SELECT key, seq, version, modified, owner, size, etag, etag_parts, checksum, storage
            FROM versions INDEXED BY versions_listing
            WHERE bucket = ?1 AND key >= ?2 AND latest = 1 AND marker = 0 ORDER BY key
            """
        ) { (row) throws(MetadataError) in
            row.bind(query.bucket.value, at: 1)
            row.bind(start, at: 2)
            while try row.next() {
                guard let key = ObjectKey(row.bytes(0)) else { throw MetadataError.broken("versions: a malformed key") }
                guard key.utf8.starts(with: query.prefix) else { return }
                if page.objects.count + page.commonPrefixes.count >= query.limit {
                    page.isTruncated = true
                    return
                }
                guard
                    let common = KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    page.objects.append(try Self.listed(at: row, key: key))
                    page.last = key.utf8
                    continue
                }
                page.commonPrefixes.append(common)
                page.last = common
                guard let next = KeyOrder.end(of: common) else { return }
                row.restart()
                row.bind(next, at: 2)
            }
        }
        return page
    }

    private static func listed(at row: Statement, key: ObjectKey) throws(MetadataError) -> ObjectVersion {
        var attributes = ObjectAttributes()
        attributes.storageClass = row.optionalBytes(9)
        return ObjectVersion(
            key: key, versionID: try versionID(at: row, column: 2), isLatest: true, isDeleteMarker: false,
            modified: Timestamp(milliseconds: row.int64(3)), sequence: row.int64(1), owner: row.text(4),
            size: UInt64(bitPattern: row.int64(5)), etag: etag(at: row, 6, 7), attributes: attributes,
            checksum: try checksum(at: row, 8), tags: [], content: .empty)
    }
}
