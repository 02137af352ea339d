import SQLite

extension Rows {
    func listVersions(_ query: ListVersionsQuery) throws(MetadataError) -> ListVersionsPage {
        var pager = Pager<ObjectVersion, VersionID>(limit: query.limit)
        if query.limit > 0 { try fill(&pager, query) }
        return ListVersionsPage(
            versions: pager.entries, commonPrefixes: pager.commonPrefixes, isTruncated: pager.isTruncated,
            nextKeyMarker: pager.nextKey, nextVersionMarker: pager.nextID)
    }

    private func fill(
        _ pager: inout Pager<ObjectVersion, VersionID>, _ query: ListVersionsQuery
    ) throws(MetadataError) {
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        if let marker = query.versionMarker, let key = query.keyMarker.flatMap({ ObjectKey($0) }),
            key.utf8.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter) == nil
        {
            // A marker that was deleted since names no place: the rest of its key is shown from its newest version, so that
            // a client that deletes page by page misses none.
            let sequence = try head(of: key, in: query.bucket, marker)?.sequence ?? Int64.max
            try connection.with(
                "SELECT * FROM versions WHERE bucket = ?1 AND key = ?2 AND seq < ?3 ORDER BY seq DESC"
            ) { (row) throws(MetadataError) in
                row.bind(query.bucket.value, at: 1)
                row.bind(key.utf8, at: 2)
                row.bind(sequence, at: 3)
                while try row.next(), !pager.isTruncated {
                    let version = try self.version(at: row, key: key, withContent: false)
                    pager.add(version, key: key, id: version.versionID)
                }
            }
        }
        guard !pager.isTruncated,
            let start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.keyMarker)
        else { return }
        try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND key >= ?2 ORDER BY key, seq DESC"
        ) { (row) throws(MetadataError) in
            row.bind(query.bucket.value, at: 1)
            row.bind(start, at: 2)
            while try row.next(), !pager.isTruncated {
                guard let key = ObjectKey(row.bytes(1)) else { throw MetadataError.broken("versions: a malformed key") }
                guard key.utf8.starts(with: query.prefix) else { return }
                guard
                    let common = KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    let version = try self.version(at: row, key: key, withContent: false)
                    pager.add(version, key: key, id: version.versionID)
                    continue
                }
                pager.add(commonPrefix: common)
                guard !pager.isTruncated, let next = KeyOrder.end(of: common) else { return }
                row.restart()
                row.bind(next, at: 2)
            }
        }
    }
}
