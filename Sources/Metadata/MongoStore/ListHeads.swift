import Mongo

extension MongoStore {
    /// Reads the index of live heads from the first key on; below a delimiter it seeks past each common prefix.
    public func listObjects(_ query: ListQuery) async throws(MetadataError) -> ListPage {
        var page = ListPage(objects: [], commonPrefixes: [], isTruncated: false, last: nil)
        let delimiter = query.delimiter.flatMap { $0.isEmpty ? nil : $0 }
        guard query.limit > 0,
            var start = KeyOrder.start(prefix: query.prefix, delimiter: delimiter, after: query.after)
        else { return page }
        var batch = BatchLength(limit: query.limit + 1, isCertain: delimiter == nil)
        while true {
            let (heads, isComplete) = try await liveHeads(query.bucket, from: start, limit: batch.length)
            var seek: [UInt8]?
            var passedOver = 0
            for head in heads {
                guard let key = HeadKey(id: head["_id"]?.document)?.key, let latest = head["latest"]?.document else {
                    throw .broken("heads: a live one without key or version")
                }
                if let seek, key.utf8.lexicographicallyPrecedes(seek) {
                    passedOver += 1
                    continue
                }
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
            if isComplete, heads.count < batch.length { return page }
            batch.adapt(passedOver: passedOver, metPrefix: seek != nil)
        }
    }

    /// How many heads are read at a time. Below a delimiter much of a batch may be passed over, down to all but the first: then single
    /// heads are read, each with a seek behind it.
    private struct BatchLength {
        private(set) var length: Int
        private let limit: Int
        private var singles = 0

        /// `isCertain`: nothing will be passed over.
        init(limit: Int, isCertain: Bool) { (self.limit, length) = (limit, isCertain ? limit : min(limit, 16)) }

        mutating func adapt(passedOver: Int, metPrefix: Bool) {
            if passedOver * 2 > length {
                length = max(1, length / 4)
            } else if length == 1, metPrefix {
                // Nothing can be passed over of one: more are tried now and then.
                singles += 1
                if singles.isMultiple(of: 32) { length = 4 }
            } else if passedOver == 0 {
                length = min(length * 4, limit)
            }
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
