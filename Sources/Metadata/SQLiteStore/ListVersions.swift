import SQLite

extension Rows {
    func listVersions(_ query: ListVersionsQuery) throws(MetadataError) -> ListVersionsPage {
        var pager = VersionPager(query: query)
        guard query.limit > 0 else { return pager.page }
        if let marker = query.versionMarker, let key = query.keyMarker.flatMap({ ObjectKey($0) }),
            key.utf8.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: pager.delimiter) == nil
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
                while try row.next(), !pager.page.isTruncated {
                    pager.add(try version(at: row, key: key, withContent: false))
                }
            }
        }
        guard !pager.page.isTruncated,
            let start = KeyOrder.start(prefix: query.prefix, delimiter: pager.delimiter, after: query.keyMarker)
        else { return pager.page }
        try connection.with(
            "SELECT * FROM versions WHERE bucket = ?1 AND key >= ?2 ORDER BY key, seq DESC"
        ) { (row) throws(MetadataError) in
            row.bind(query.bucket.value, at: 1)
            row.bind(start, at: 2)
            while try row.next(), !pager.page.isTruncated {
                guard let key = ObjectKey(row.bytes(1)) else { throw MetadataError.broken("versions: a malformed key") }
                guard key.utf8.starts(with: query.prefix) else { return }
                guard
                    let common = KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: pager.delimiter)
                else {
                    pager.add(try version(at: row, key: key, withContent: false))
                    continue
                }
                pager.add(commonPrefix: common)
                guard !pager.page.isTruncated, let next = KeyOrder.end(of: common) else { return }
                row.restart()
                row.bind(next, at: 2)
            }
        }
        return pager.page
    }
}

/// Fills a page until one entry more is seen than it may hold.
private struct VersionPager {
    let limit: Int
    let delimiter: [UInt8]?
    var page = ListVersionsPage(
        versions: [], commonPrefixes: [], isTruncated: false, nextKeyMarker: nil, nextVersionMarker: nil)
    private var last: (key: [UInt8], version: VersionID?)?

    init(query: ListVersionsQuery) {
        limit = query.limit
        delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func add(_ version: ObjectVersion) {
        guard hasRoom() else { return }
        page.versions.append(version)
        last = (version.key.utf8, version.versionID)
    }

    mutating func add(commonPrefix: [UInt8]) {
        guard hasRoom() else { return }
        page.commonPrefixes.append(commonPrefix)
        last = (commonPrefix, nil)
    }

    private mutating func hasRoom() -> Bool {
        if page.versions.count + page.commonPrefixes.count < limit { return true }
        page.isTruncated = true
        page.nextKeyMarker = last?.key
        page.nextVersionMarker = last?.version
        return false
    }
}
