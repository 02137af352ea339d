import Bytes
import Mongo

/// The stages of an update that changes a head. What came from outside stands in them as a literal.
enum HeadPipeline {
    /// The cluster's time as a number: seconds in units of 2^20, and the count within the second. Below 2^53 for a hundred years.
    static let clusterTime: BSONValue = [
        "$add": [
            ["$multiply": [["$tsSecond": "$$CLUSTER_TIME"], .int64(1 << secondShift)]],
            ["$tsIncrement": "$$CLUSTER_TIME"],
        ]
    ]

    static let secondShift: Int64 = 20

    /// What becomes of the latest version.
    enum Latest {
        /// A new one, of these fields.
        case new(BSONDocument, isDeleteMarker: Bool)
        /// A former one, once more.
        case former(VersionDocument, VersionDocument.Patch?)
        case none
        /// The same one with other tags.
        case tagged([UInt8]?)
        case kept
    }

    /// `entries` is an expression over the head as it was but for its new `seq`.
    static func stages(
        write: Int64, entries: BSONValue, latest: Latest, asset: FollowedAsset = .kept, event: HeadEvent? = nil
    ) -> [BSONDocument] {
        let sequence: BSONDocument = [
            "$set": ["seq": ["$max": [["$add": [["$ifNull": ["$seq", .int64(0)]], .int64(1)]], clusterTime]]]
        ]
        var moved: BSONDocument = ["outbox": asset.outbox(["$ifNull": ["$outbox", []]], entries, write: write)]
        var fields: BSONDocument = [
            "w": .int64(write),
            "due": ["$cond": [["$eq": ["$outbox", []]], "$$REMOVE", ["$ifNull": ["$due", "$$NOW"]]]],
            "gone": "$$REMOVE",
        ]
        if let event {
            // A delete marker above nothing removes nothing.
            let ifLive = if case .new(_, let isDeleteMarker) = latest { isDeleteMarker } else { false }
            moved.append("events", event.appended(ifLive: ifLive))
            fields.append("told", ["$cond": [HeadEvent.areNone, "$$REMOVE", ["$ifNull": ["$told", "$$NOW"]]]])
        }
        let outbox: BSONDocument = ["$set": .document(moved)]
        switch latest {
        case .new(let version, let isDeleteMarker):
            fields.append(
                "latest",
                [
                    "$mergeObjects": [
                        .literal(.document(version)), ["s": "$seq", "r": "$seq", "m": ["$toLong": "$$NOW"]],
                    ]
                ])
            fields.append("live", isDeleteMarker ? "$$REMOVE" : true)
        case .former(let version, let patch):
            var change: BSONDocument = ["r": "$seq", "h": true]
            if let patch { change.append("t", patch.record.map { .literal(.binary($0)) } ?? "$$REMOVE") }
            fields.append("latest", ["$mergeObjects": [.literal(.raw(version.view)), .document(change)]])
            fields.append("live", version.isDeleteMarker ? "$$REMOVE" : true)
        case .none:
            fields.append("latest", "$$REMOVE")
            fields.append("live", "$$REMOVE")
        case .tagged(let tags):
            fields.append("latest.r", "$seq")
            fields.append("latest.t", tags.map { .literal(.binary($0)) } ?? "$$REMOVE")
        case .kept: break
        }
        fields.append("asset", asset.fields)
        return [sequence, outbox, ["$set": .document(fields)]]
    }

    static let noEntries: BSONValue = []

    /// What a new version on top leaves: the one below becomes a former one, or is dropped where both are `null`; then a `null`
    /// version further down is dropped. A key has one `null` version at most, so there is none further down where the latest is it.
    static func entriesBelow(newVersion id: VersionID, write: Int64) -> BSONValue {
        let former = entry("v", write, ["v": "$latest"])
        let ofNull: BSONValue
        let ofOther: BSONValue
        if case .null = id {
            ofNull = [entry("g", write, ["v": "$latest"])]
            ofOther = [former, entry("n", write)]
        } else {
            ofNull = [former]
            ofOther = [former]
        }
        return [
            "$switch": [
                "branches": [
                    ["case": ["$ne": [["$type": "$latest"], "object"]], "then": noEntries],
                    ["case": ["$eq": ["$latest.v", "null"]], "then": ofNull],
                ],
                "default": ofOther,
            ]
        ]
    }

    static func dropLatest(write: Int64) -> BSONValue { [entry("g", write, ["v": "$latest"])] }

    static func remove(_ sequence: Int64, write: Int64) -> BSONValue {
        [entry("d", write, ["x": .int64(sequence)])]
    }

    static func tag(_ sequence: Int64, _ tags: [UInt8]?, write: Int64) -> BSONValue {
        var fields: BSONDocument = ["x": .int64(sequence)]
        fields.append("r", tags.map { .literal(.binary($0)) })
        return [entry("t", write, fields)]
    }

    /// `sequence` is that of the change; in a pipeline the head says it.
    static func entry(
        _ kind: BSONValue, _ write: Int64, _ fields: BSONDocument = [:], at sequence: BSONValue = "$seq"
    ) -> BSONValue {
        var entry: BSONDocument = ["t": kind, "s": sequence, "w": .int64(write)]
        entry.append(contentsOf: fields)
        return .document(entry)
    }
}

extension WriteConditions {
    /// The conditions as a filter of heads. With `needsObject` a head that does not exist cannot match.
    var filter: (conditions: [BSONDocument], needsObject: Bool) {
        var all: [BSONDocument] = []
        let isAbsent: BSONValue = ["live": ["$ne": true]]
        func texts(_ etags: [[UInt8]]) -> BSONValue { .array(etags.map { .text($0) }) }
        switch ifNoneMatch {
        case .any: all.append(["live": ["$ne": true]])
        case .etags(let etags): all.append(["$or": [isAbsent, ["latest.e": ["$nin": texts(etags)]]]])
        case nil: break
        }
        switch ifMatch {
        case .any: all.append(["live": true])
        case .etags(let etags): all.append(["live": true, "latest.e": ["$in": texts(etags)]])
        case nil: break
        }
        if let ifSize {
            all.append(["$or": [isAbsent, ["latest.z": .int64(Int64(bitPattern: ifSize))]]])
        }
        if let ifModifiedAt {
            let start = Timestamp(seconds: ifModifiedAt.seconds).milliseconds
            let end = Timestamp(seconds: ifModifiedAt.seconds &+ 1).milliseconds
            all.append(["$or": [isAbsent, ["latest.m": ["$gte": .int64(start), "$lt": .int64(end)]]]])
        }
        return (all, ifMatch != nil)
    }
}
