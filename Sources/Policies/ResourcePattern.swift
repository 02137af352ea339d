import Bytes

/// The ARN of a statement's `Resource`, compared with that of what a request asks for. Each of an ARN's six segments is matched by its
/// own; the last may hold colons.
struct ResourcePattern: Sendable, Equatable {
    /// Nil for what can name nothing of S3.
    private let resource: Template?

    /// Nil for what is neither `*` nor an ARN, and for a variable that cannot be read or stands before the last segment.
    init?(_ text: String, version: PolicyDocument.Version) {
        let bytes = Array(text.utf8)
        let hasVariables = version == .of2012
        if bytes == [Ascii.asterisk] {
            resource = Template(bytes, hasVariables: false)
            return
        }
        let parts = bytes.split(separator: Ascii.colon, maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].elementsEqual("arn".utf8), !parts[5].isEmpty,
            !parts[..<5].contains(where: { $0.contains(0x24) }),
            let template = Template(Array(parts[5]), hasVariables: hasVariables)
        else { return nil }
        // S3 names neither a region nor an account.
        let isOfS3 = zip(parts[1...4], ["aws", "s3", "", ""]).allSatisfy { part, wanted in
            Glob(wildcards: Array(part)).matches(Array(wanted.utf8))
        }
        resource = isOfS3 ? template : nil
        if !isOfS3, !template.isBounded { return nil }
    }

    var isBounded: Bool { resource?.isBounded ?? true }
    var variables: [ConditionKey] { resource?.variables ?? [] }

    /// Nil where a variable has no value.
    func matches(_ request: PolicyRequest) -> Bool? {
        guard let resource else { return false }
        return resource.glob(request.facts)?.matches(request.resource)
    }

    // MARK: What it can name

    /// Whether it can name the bucket or something in it.
    func mayName(bucket: [UInt8]) -> Bool { mayBe(bucket: bucket) || mayBe(objectOf: bucket) }

    func mayBe(bucket: [UInt8]) -> Bool {
        guard let resource else { return false }
        return resource.isFixed ? resource.glob(Facts())?.matches(bucket) ?? false : mayBegin(bucket, resource)
    }

    /// Whether some key of the bucket matches.
    func mayBe(objectOf bucket: [UInt8]) -> Bool {
        guard let resource else { return false }
        let folder = bucket + [Ascii.slash]
        let prefix = resource.literalPrefix
        // Behind the first wildcard or variable anything may stand.
        if prefix.count < folder.count { return !resource.isConstant && folder.starts(with: prefix) }
        return prefix.starts(with: folder) && (prefix.count > folder.count || !resource.isConstant)
    }

    private func mayBegin(_ bucket: [UInt8], _ resource: Template) -> Bool {
        let prefix = resource.literalPrefix
        return prefix.count <= bucket.count && bucket.starts(with: prefix)
    }
}
