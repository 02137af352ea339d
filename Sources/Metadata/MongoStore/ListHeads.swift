import Mongo

extension MongoStore {
    /// Reads the index of live heads from the first key on; below a delimiter it seeks past each common prefix.
    public func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage {
        var page = ListPage(objects: [], commonPrefixes: [], isTruncated: false, last: nil)
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        guard query.limit > 0,
            var start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.after)
        else { return page }
        // With a delimiter much of a batch may be passed over; batches grow while no prefix is met.
        var batchLength = delimiter == nil ? query.limit + 1 : min(query.limit + 1, 16)
        while true {
            let (heads, isComplete) = try await liveHeads(query.bucket, from: start, limit: batchLength)
            var seek: [UInt8]?
            for head in heads {
                guard let key = HeadKey(id: head["_id"]?.document)?.key, let latest = head["latest"]?.document else {
                    throw .broken("heads: a live one without key or version")
                }
                if let seek, key.utf8.lexicographicallyPrecedes(seek) { continue }
                guard key.utf8.starts(with: query.prefix) else { return page }
                if page.objects.count + page.commonPrefixes.count >= query.limit {
                    page.isTruncated = true
                    return page
                }
                start = KeyOrder.next(after: key.utf8)
                guard let common = KeyOrder.commonPrefix(of: key.utf8, prefix: query.prefix, delimiter: delimiter)
                else {
                    page.objects.append(
                        try VersionDocument(view: latest).version(of: key, isLatest: true, withContent: false))
                    page.last = key.utf8
                    continue
                }
                page.commonPrefixes.append(common)
                page.last = common
                guard let next = KeyOrder.end(of: common) else { return page }
                (seek, start) = (next, next)
            }
            if isComplete, heads.count < batchLength { return page }
            batchLength = seek == nil ? min(batchLength * 4, query.limit + 1) : 16
        }
    }

    private func liveHeads(
        _ bucket: BucketID, from start: [UInt8], limit: Int
    ) async throws(MetadataError) -> (heads: [BSONView], isComplete: Bool) {
        let query = MongoDatabase.Query(
            [
                "_id.b": .int64(bucket.value), "_id.k": ["$gte": .text(KeyText.encode(start))], "live": true,
            ],
            projection: [
                "latest.s": 1, "latest.v": 1, "latest.m": 1, "latest.o": 1, "latest.z": 1, "latest.e": 1, "latest.c": 1,
                "latest.k": 1,
            ], sort: ["_id.b": 1, "_id.k": 1], hint: MongoSchema.listing, limit: limit)
        let found = try await perform { (database) throws(MongoError) in try database.find(query, in: MongoSchema.heads)
        }
        return (found.documents, found.isComplete)
    }
}
