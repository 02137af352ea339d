import Bytes
import SQLite

extension Rows {
    func listUploads(_ query: ListUploadsQuery) throws(MetadataError) -> ListUploadsPage {
        var pager = Pager<Upload, UploadID>(limit: query.limit)
        if query.limit > 0 { try fill(&pager, query) }
        return ListUploadsPage(
            uploads: pager.entries, commonPrefixes: pager.commonPrefixes, isTruncated: pager.isTruncated,
            nextKeyMarker: pager.nextKey, nextUploadMarker: pager.nextID)
    }

    private func fill(
        _ pager: inout Pager<Upload, UploadID>, _ query: ListUploadsQuery
    ) throws(MetadataError) {
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        if let marker = query.uploadMarker, let key = query.keyMarker, key.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key, prefix: query.prefix, delimiter: delimiter) == nil
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
                while try row.next(), !pager.isTruncated {
                    let upload = try Self.upload(at: row)
                    pager.add(upload, key: upload.key, id: upload.id)
                }
            }
        }
        guard !pager.isTruncated,
            let start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.keyMarker)
        else { return }
        try connection.with(
            """
            SELECT * FROM uploads INDEXED BY uploads_order
            WHERE bucket = ?1 AND key >= ?2 ORDER BY key, initiated, id
            """
        ) { (row) throws(MetadataError) in
            row.bind(query.bucket.value, at: 1)
            row.bind(start, at: 2)
            while try row.next(), !pager.isTruncated {
                let upload = try Self.upload(at: row)
                guard upload.key.utf8.starts(with: query.prefix) else { return }
                guard
                    let common = KeyOrder.commonPrefix(
                        of: upload.key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    pager.add(upload, key: upload.key, id: upload.id)
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
