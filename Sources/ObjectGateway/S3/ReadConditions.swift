import Bytes
import HTTPServer
import Metadata

/// `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since` of a read, or their `x-amz-copy-source-` forms.
struct ReadConditions: Sendable {
    var ifMatch: WriteConditions.Match?
    var ifNoneMatch: WriteConditions.Match?
    var ifModifiedSince: Timestamp?
    var ifUnmodifiedSince: Timestamp?

    enum Verdict: Sendable, Equatable {
        case proceed, notModified, failed
    }

    init(_ head: RequestHead) {
        ifMatch = head.first("if-match").map(Self.match)
        ifNoneMatch = head.first("if-none-match").map(Self.match)
        ifModifiedSince = head.first("if-modified-since").flatMap { DateFormats.parseHTTP($0) }
        ifUnmodifiedSince = head.first("if-unmodified-since").flatMap { DateFormats.parseHTTP($0) }
    }

    /// The conditions that a copy puts on its source (API/CopyObject).
    init(copySourceOf head: RequestHead) {
        ifMatch = head.first("x-amz-copy-source-if-match").map(Self.match)
        ifNoneMatch = head.first("x-amz-copy-source-if-none-match").map(Self.match)
        ifModifiedSince = head.first("x-amz-copy-source-if-modified-since").flatMap { DateFormats.parseHTTP($0) }
        ifUnmodifiedSince = head.first("x-amz-copy-source-if-unmodified-since").flatMap { DateFormats.parseHTTP($0) }
    }

    /// RFC 9110 section 13.2.2: an entity tag condition makes the date condition of its kind void. A date in the future is
    /// no condition.
    func judge(_ version: ObjectVersion, now: Timestamp) -> Verdict {
        if let ifMatch {
            if !ifMatch.holds(for: version.etag) { return .failed }
        } else if let ifUnmodifiedSince, version.modified.seconds > ifUnmodifiedSince.seconds {
            return .failed
        }
        if let ifNoneMatch {
            if ifNoneMatch.holds(for: version.etag) { return .notModified }
        } else if let ifModifiedSince, ifModifiedSince <= now, version.modified.seconds <= ifModifiedSince.seconds {
            return .notModified
        }
        return .proceed
    }

    /// Reads `*` or a list of entity tags, quoted or not, weak or not.
    static func match(_ value: ArraySlice<UInt8>) -> WriteConditions.Match {
        let tags = value.split(separator: Ascii.comma).map { piece in
            var tag = Ascii.trimmed(piece)
            if tag.starts(with: "W/".utf8) { tag = tag.dropFirst(2) }
            if tag.count >= 2, tag.first == Ascii.quote, tag.last == Ascii.quote { tag = tag.dropFirst().dropLast() }
            return [UInt8](tag)
        }
        // Some clients quote the asterisk too.
        return tags.contains([Ascii.asterisk]) ? .any : .etags(tags)
    }
}

extension WriteConditions.Match {
    func holds(for etag: ETag) -> Bool {
        switch self {
        case .any: return true
        case .etags(let tags):
            let own = etag.unquoted
            return tags.contains(own)
        }
    }
}

extension WriteConditions {
    /// `If-Match` and `If-None-Match` of a write, and the `x-amz-if-match-` fields of a delete.
    init(_ head: RequestHead) throws(S3Error) {
        self.init()
        ifMatch = head.first("if-match").map(ReadConditions.match)
        ifNoneMatch = head.first("if-none-match").map(ReadConditions.match)
        if let date = head.first("x-amz-if-match-last-modified-time") {
            guard let moment = DateFormats.parseHTTP(date) ?? DateFormats.parseISO8601(date) else {
                throw .invalidArgument("x-amz-if-match-last-modified-time", date, "The date is not valid.")
            }
            ifModifiedAt = moment
        }
        if let size = head.first("x-amz-if-match-size") {
            guard let bytes = Ascii.decimal(size) else {
                throw .invalidArgument("x-amz-if-match-size", size, "The size is not a number of bytes.")
            }
            ifSize = bytes
        }
    }
}
