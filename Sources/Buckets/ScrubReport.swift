public import Bytes
public import Metadata

/// What a scrub found wrong.
public struct ScrubFinding: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The bytes are not what was written.
        case damaged
        /// A row names a blob that is not there.
        case missing
        /// A file that no row names.
        case orphan
        /// A repair set it aside: nothing has its bytes any more, and the versions that name it answer an error.
        case lost
        /// A page of the database or of a base is not what was written; `blob` is its number.
        case page
    }

    public var kind: Kind
    public var blob: BlobID
    /// One line; for the log and the command line.
    public var reason: String
    public var moment: Timestamp
    /// A name of its file, or its only one, is in the folder `quarantine`.
    public var isQuarantined: Bool

    public init(kind: Kind, blob: BlobID, reason: String, moment: Timestamp, isQuarantined: Bool) {
        self.kind = kind
        self.blob = blob
        self.reason = reason
        self.moment = moment
        self.isQuarantined = isQuarantined
    }
}

/// How far the scrub is, or what the last one found.
public struct ScrubReport: Sendable, Equatable {
    /// Nil before the first.
    public var started: Timestamp?
    /// Nil while it is not at its end.
    public var finished: Timestamp?
    /// The last blob that was checked.
    public var position = BlobID(0)
    public var blobs: UInt64 = 0
    /// Read and checked.
    public var bytes: UInt64 = 0
    /// Damaged or missing blobs.
    public var errors: UInt64 = 0
    public var orphans: UInt64 = 0
    /// Blobs that a former repair set aside.
    public var lost: UInt64 = 0
    /// Blobs to which this repair gave a new place.
    public var healed: UInt64 = 0
    /// The first so many of them.
    public var findings: [ScrubFinding] = []

    public init() {}

    public static let findingsMax = 1000

    mutating func note(_ finding: ScrubFinding) {
        switch finding.kind {
        case .orphan: orphans += 1
        case .lost: lost += 1
        case .damaged, .missing, .page: errors += 1
        }
        if findings.count < Self.findingsMax { findings.append(finding) }
    }
}

/// The text of `meta/scrub`: a line for each value and each finding. FORMATS.md describes it.
extension ScrubReport {
    private static let heading = "ogw-scrub 1"

    var text: [UInt8] {
        var lines = [Self.heading]
        if let started { lines.append("started \(started.milliseconds)") }
        if let finished { lines.append("finished \(finished.milliseconds)") }
        lines.append("position \(position.value)")
        lines.append("blobs \(blobs)")
        lines.append("bytes \(bytes)")
        lines.append("errors \(errors)")
        lines.append("orphans \(orphans)")
        lines.append("lost \(lost)")
        lines.append("healed \(healed)")
        for finding in findings {
            lines.append(
                "finding \(finding.kind.rawValue) \(finding.blob.value) \(finding.moment.milliseconds) "
                    + "\(finding.isQuarantined ? 1 : 0) \(finding.reason)")
        }
        return [UInt8]((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Nil for anything but a text as `text` makes it: a scrub then begins anew.
    init?(_ text: [UInt8]) {
        self.init()
        var lines = text.split(separator: Ascii.lineFeed).map { String(decoding: $0, as: UTF8.self) }[...]
        guard lines.popFirst() == Self.heading else { return nil }
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { return nil }
            if words[0] == "finding" {
                guard let finding = ScrubFinding(words[1]) else { return nil }
                if findings.count < Self.findingsMax { findings.append(finding) }
                continue
            }
            guard let number = UInt64(words[1]) else { return nil }
            switch words[0] {
            case "started": started = Timestamp(milliseconds: Int64(clamping: number))
            case "finished": finished = Timestamp(milliseconds: Int64(clamping: number))
            case "position": position = BlobID(number)
            case "blobs": blobs = number
            case "bytes": bytes = number
            case "errors": errors = number
            case "orphans": orphans = number
            case "lost": lost = number
            case "healed": healed = number
            default: return nil
            }
        }
    }
}

extension ScrubFinding {
    fileprivate init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 4).map(String.init)
        guard words.count == 5, let kind = Kind(rawValue: words[0]), let blob = UInt64(words[1]),
            let moment = Int64(words[2])
        else { return nil }
        self.init(
            kind: kind, blob: BlobID(blob), reason: words[4], moment: Timestamp(milliseconds: moment),
            isQuarantined: words[3] == "1")
    }
}
