import Bytes
import HTTPServer
import Metadata

/// What a request is about: the service, a bucket, or an object. The path is decoded here once; authorisation and
/// handlers use the same value (S3-TRAPS 33).
struct RequestTarget: Sendable {
    enum Scope: Sendable, Hashable, CaseIterable {
        case service, bucket, object
    }

    let scope: Scope
    /// As sent and decoded; for messages.
    let bucketText: [UInt8]
    /// Nil for the service, and for a name that no bucket can have.
    let bucket: BucketName?
    /// Of an object only.
    let key: ObjectKey?
    let query: QueryParameters

    /// `domains` are the host names whose subdomains name buckets (userguide/VirtualHosting).
    /// Throws InvalidURI, or KeyTooLongError.
    init(_ head: RequestHead, domains: [[UInt8]]) throws(S3Error) {
        query = try QueryParameters(head.query)
        var path = head.path
        guard path.first == Ascii.slash else { throw S3Error(.invalidURI) }
        path = path.dropFirst()
        var keyPart: ArraySlice<UInt8>
        if let host = head.first("host"), let label = Self.bucketLabel(of: host, domains: domains) {
            bucketText = Ascii.lowered(label)
            keyPart = path
        } else {
            let slash = path.firstIndex(of: Ascii.slash) ?? path.endIndex
            guard let name = PercentEncoding.decode(path[..<slash]) else { throw S3Error(.invalidURI) }
            bucketText = name
            keyPart = slash < path.endIndex ? path[(slash + 1)...] : []
        }
        if bucketText.isEmpty {
            guard keyPart.isEmpty else { throw S3Error(.invalidBucketName) }
            (scope, bucket, key) = (.service, nil, nil)
            return
        }
        bucket = BucketName(bucketText)
        if keyPart.isEmpty {
            (scope, key) = (.bucket, nil)
            return
        }
        guard let decoded = PercentEncoding.decode(keyPart) else { throw S3Error(.invalidURI) }
        guard let name = ObjectKey(decoded) else {
            throw S3Error(.keyTooLong)
                .adding("Size", Ascii.decimal(of: UInt64(decoded.count)))
                .adding("MaxSizeAllowed", Ascii.decimal(of: UInt64(ObjectKey.lengthMax)))
        }
        (scope, key) = (.object, name)
    }

    /// The part of `host` before one of the domains; nil when the host is not below any.
    static func bucketLabel(of host: ArraySlice<UInt8>, domains: [[UInt8]]) -> ArraySlice<UInt8>? {
        var name = host
        if let colon = name.lastIndex(of: Ascii.colon), !name[colon...].contains(0x5D) { name = name[..<colon] }
        for domain in domains where name.count > domain.count + 1 {
            let tail = name.suffix(domain.count + 1)
            if tail.first == Ascii.dot, Ascii.equalIgnoringCase(tail.dropFirst(), domain) {
                return name.dropLast(domain.count + 1)
            }
        }
        return nil
    }
}
