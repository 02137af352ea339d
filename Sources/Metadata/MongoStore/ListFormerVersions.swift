import Mongo

extension MongoStore {
    public func listVersions(_ query: ListVersionsQuery) async throws(MetadataError) -> ListVersionsPage {
        var pager = Pager<ObjectVersion, VersionID>(limit: query.limit)
        if query.limit > 0 { try await fill(&pager, query) }
        return ListVersionsPage(
            versions: pager.entries, commonPrefixes: pager.commonPrefixes, isTruncated: pager.isTruncated,
            nextKeyMarker: pager.nextKey, nextVersionMarker: pager.nextID)
    }

    private func fill(
        _ pager: inout Pager<ObjectVersion, VersionID>, _ query: ListVersionsQuery
    ) async throws(MetadataError) {
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        if let marker = query.versionMarker, let key = query.keyMarker.flatMap({ ObjectKey($0) }),
            key.utf8.starts(with: query.prefix),
            KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter) == nil
        {
            // A marker that was deleted since names no place: the rest of its key is shown from its newest version, so that
            // a client that deletes page by page misses none.
            let found = try await find(marker, of: HeadKey(query.bucket, key))
            let view = try await perform { (database) throws(MongoError) in
                try HeadKey(query.bucket, key).read(database)
            }
            if let view {
                var rows = FormerRows(store: self, bucket: query.bucket)
                try await add(try Head(view), below: found?.version.sequence ?? Int64.max, &rows, to: &pager)
            }
        }
        guard !pager.isTruncated,
            var start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.keyMarker)
        else { return }
        var rows = FormerRows(store: self, bucket: query.bucket)
        var batchLength = delimiter == nil ? query.limit + 1 : 16
        while true {
            let (heads, isComplete) = try await heads(of: query.bucket, from: start, limit: batchLength)
            var seek: [UInt8]?
            for view in heads {
                let head = try Head(view)
                let key = head.key.key
                if let seek, key.utf8.lexicographicallyPrecedes(seek) { continue }
                guard key.utf8.starts(with: query.prefix) else { return }
                start = KeyOrder.next(after: key.utf8)
                if head.latest == nil { continue }
                guard let common = KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    try await add(head, below: Int64.max, &rows, to: &pager)
                    if pager.isTruncated { return }
                    continue
                }
                pager.add(commonPrefix: common)
                guard !pager.isTruncated, let next = KeyOrder.end(of: common) else { return }
                (seek, start) = (next, next)
            }
            if isComplete, heads.count < batchLength { return }
            batchLength = seek == nil ? min(batchLength * 4, query.limit + 1) : 16
        }
    }

    /// Adds the versions of a key, newest first, until the page is full.
    private func add(
        _ head: Head, below sequence: Int64, _ rows: inout FormerRows, to pager: inout Pager<ObjectVersion, VersionID>
    ) async throws(MetadataError) {
        let key = head.key.key
        guard let latest = head.latest else { return }
        func add(_ version: VersionDocument, isLatest: Bool) throws(MetadataError) {
            let shown = try version.version(of: key, isLatest: isLatest, withContent: false)
            pager.add(shown, key: key, id: shown.versionID)
        }
        if latest.sequence < sequence { try add(latest, isLatest: true) }
        let former = FormerVersions(head)
        var archived = former.archived.values.filter { $0.sequence < sequence }.sorted { $0.sequence > $1.sequence }[
            ...]
        try await rows.seek(to: key, below: sequence)
        while !pager.isTruncated {
            let row = try await rows.peek(of: key)
            if let next = archived.first, row.map({ $0.sequence <= next.sequence }) ?? true {
                archived.removeFirst()
                if row?.sequence == next.sequence { rows.pop() }
                try add(next, isLatest: false)
            } else if let row {
                rows.pop()
                if former.isShown(row) { try add(row, isLatest: false) }
            } else {
                return
            }
        }
    }

    private func heads(
        of bucket: BucketID, from start: [UInt8], limit: Int
    ) async throws(MetadataError) -> (heads: [BSONView], isComplete: Bool) {
        let query = MongoDatabase.Query(
            [
                "_id": [
                    "$gte": ["b": .int64(bucket.value), "k": .text(KeyText.encode(start))],
                    "$lt": ["b": .int64(bucket.value &+ 1), "k": ""],
                ]
            ], projection: ["latest.p": 0, "outbox.v.p": 0], sort: ["_id": 1], limit: limit)
        let found = try await perform { (database) throws(MongoError) in try database.find(query, in: MongoSchema.heads)
        }
        return (found.documents, found.isComplete)
    }
}

/// The rows of former versions of a bucket, by key and newest first, read in batches as they are asked for.
private struct FormerRows {
    let store: MongoStore
    let bucket: BucketID
    private var buffer: ArraySlice<(key: ObjectKey, version: VersionDocument)> = []
    /// What was read last, after which the next batch begins.
    private var last: (key: ObjectKey, sequence: Int64)?
    /// Nothing is left behind the buffer.
    private var isExhausted = false
    private static let batchLength = 500

    init(store: MongoStore, bucket: BucketID) { (self.store, self.bucket) = (store, bucket) }

    /// Passes over what lies before; keys are asked for in ascending order.
    mutating func seek(to key: ObjectKey, below sequence: Int64) async throws(MetadataError) {
        buffer = buffer.drop { $0.key < key || ($0.key == key && $0.version.sequence >= sequence) }
        guard buffer.isEmpty, !isExhausted else { return }
        last = (key, sequence)
        if sequence < Int64.max { return try await read() }
        take(try await rows(["_id.k": ["$gte": .text(KeyText.encode(key.utf8))]]))
    }

    /// The next row where it is one of this key.
    mutating func peek(of key: ObjectKey) async throws(MetadataError) -> VersionDocument? {
        if buffer.isEmpty, !isExhausted { try await read() }
        return buffer.first.flatMap { $0.key == key ? $0.version : nil }
    }

    mutating func pop() { buffer = buffer.dropFirst() }

    private mutating func read() async throws(MetadataError) {
        guard let last else { return }
        let key = KeyText.encode(last.key.utf8)
        // The rest of the key first, then the keys behind: each is one range of the index.
        let same = try await rows(["_id.k": .text(key), "_id.s": ["$lt": .int64(last.sequence)]])
        take(same.isEmpty ? try await rows(["_id.k": ["$gt": .text(key)]]) : same)
    }

    private mutating func take(_ rows: [(key: ObjectKey, version: VersionDocument)]) {
        buffer = rows[...]
        isExhausted = rows.isEmpty
        if let end = rows.last { last = (end.key, end.version.sequence) }
    }

    private func rows(
        _ range: BSONDocument
    ) async throws(MetadataError) -> [(key: ObjectKey, version: VersionDocument)] {
        var filter: BSONDocument = ["_id.b": .int64(bucket.value)]
        filter.append(contentsOf: range)
        filter.append("d", ["$exists": true])
        let query = MongoDatabase.Query(
            filter, projection: ["d.p": 0], sort: ["_id.b": 1, "_id.k": 1, "_id.s": -1],
            hint: MongoSchema.newestFirst, limit: Self.batchLength)
        let views = try await store.perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.versions).documents
        }
        var rows: [(key: ObjectKey, version: VersionDocument)] = []
        for view in views {
            guard let key = HeadKey(id: view["_id"]?.document)?.key, let version = view["d"]?.document else {
                throw .broken("versions: a row without key or version")
            }
            rows.append((key, VersionDocument(view: version)))
        }
        return rows
    }
}
