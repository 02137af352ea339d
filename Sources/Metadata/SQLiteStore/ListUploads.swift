import Bytes
import SQLite

extension Rows {
    func listUploads(_ query: ListUploadsQuery) throws(MetadataError) -> ListUploadsPage {
        var pager = UploadPager(query: query)
        guard query.limit > 0 else { return pager.page }
        if let marker = query.uploadMarker, let key = query.keyMarker, key.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key, prefix: query.prefix, delimiter: pager.delimiter) == nil
        {
            // As with versions: an upload that ended since names no place, so its key is shown from its first upload.
            let initiated = try upload(marker)?.initiated.milliseconds ?? Int64.min
            try connection.with(
                """
                SELECT * FROM uploads INDEXED BY uploads_order
                WHERE bucket = ?1 AND key = ?2 AND (initiated, id) > (?3, ?4) ORDER BY initiated, id
                """
            ) { (row) throws(MetadataError) in
                row.bind(query.bucket.value, at: 1)
                row.bind(key, at: 2)
                row.bind(initiated, at: 3)
                row.bind(marker.utf8, at: 4)
                while try row.next(), !pager.page.isTruncated { pager.add(try Self.upload(at: row)) }
            }
        }
        guard !pager.page.isTruncated,
            let start = KeyOrder.start(prefix: query.prefix, delimiter: pager.delimiter, after: query.keyMarker)
        else { return pager.page }
        try connection.with(
            """
            SELECT * FROM uploads INDEXED BY uploads_order
            WHERE bucket = ?1 AND key >= ?2 ORDER BY key, initiated, id
            """
        ) { (row) throws(MetadataError) in
            row.bind(query.bucket.value, at: 1)
            row.bind(start, at: 2)
            while try row.next(), !pager.page.isTruncated {
                let upload = try Self.upload(at: row)
                guard upload.key.utf8.starts(with: query.prefix) else { return }
                guard
                    let common = KeyOrder.commonPrefix(
                        of: upload.key.utf8, prefix: query.prefix, delimiter: pager.delimiter)
                else {
                    pager.add(upload)
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
private struct UploadPager {
    let limit: Int
    let delimiter: [UInt8]?
    var page = ListUploadsPage(
        uploads: [], commonPrefixes: [], isTruncated: false, nextKeyMarker: nil, nextUploadMarker: nil)
    private var last: (key: [UInt8], upload: UploadID?)?

    init(query: ListUploadsQuery) {
        limit = query.limit
        delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func add(_ upload: Upload) {
        guard hasRoom() else { return }
        page.uploads.append(upload)
        last = (upload.key.utf8, upload.id)
    }

    mutating func add(commonPrefix: [UInt8]) {
        guard hasRoom() else { return }
        page.commonPrefixes.append(commonPrefix)
        last = (commonPrefix, nil)
    }

    private mutating func hasRoom() -> Bool {
        if page.uploads.count + page.commonPrefixes.count < limit { return true }
        page.isTruncated = true
        page.nextKeyMarker = last?.key
        page.nextUploadMarker = last?.upload
        return false
    }
}
