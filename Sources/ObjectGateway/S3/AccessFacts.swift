import Bytes
import HTTPServer
import Metadata
import Policies

/// What conditions of policies may ask of a request (service-authorization/list_amazons3, Condition keys for Amazon S3; IAM UserGuide,
/// reference_policies_condition-keys).
struct AccessFacts {
    let caller: Caller
    let bucket: Bucket
    let configuration: GatewayConfiguration
    /// Those that the request gives an object; nil where it gives none.
    let tags: [Tag]?

    /// Those of `keys` that the request has. A key without a value here is absent.
    func found(for keys: Set<ConditionKey>) -> Facts {
        var facts = Facts()
        for key in keys {
            if let values = values(of: key), !values.isEmpty { facts[key] = values }
        }
        return facts
    }

    private func values(of key: ConditionKey) -> [Fact]? {
        if let value = ofCaller(key) { return [value] }
        guard let origin = caller.origin else { return nil }
        if let value = ofRequest(key, origin) { return [value] }
        switch key.name {
        case "s3:requestobjecttag":
            return requestTags(origin)?.first { $0.key == key.tag }.map { [.text($0.value)] }
        case ConditionKey.requestObjectTagKeys.name: return requestTags(origin)?.map { .text($0.key) }
        default: break
        }
        return nil
    }

    private func ofCaller(_ key: ConditionKey) -> Fact? {
        switch key {
        case .bucketOwner: return text(bucket.owner)
        case .currentTime: return .moment(caller.origin?.received ?? .now())
        case .epochTime: return .number((caller.origin?.received ?? .now()).milliseconds / 1_000)
        case .requestedRegion: return text(configuration.region)
        case .resourceAccount: return text(Principal.accountNumber)
        case .principalType:
            return switch caller.principal {
            case .anonymous: text("Anonymous")
            case .root: text("Account")
            case .user: text("User")
            }
        case .username: if case .user(let name) = caller.principal { return text(name) }
        case .userID:
            switch caller.principal {
            case .anonymous: return text("anonymous")
            case .root: return text(Principal.accountNumber)
            case .user(let name): return text(name)
            }
        case .principalAccount: if caller.principal != .anonymous { return text(Principal.accountNumber) }
        case .principalARN:
            switch caller.principal {
            case .anonymous: return nil
            case .root: return text("arn:aws:iam::\(Principal.accountNumber):root")
            case .user(let name): return text("arn:aws:iam::\(Principal.accountNumber):user/\(name)")
            }
        default: break
        }
        return nil
    }

    private func ofRequest(_ key: ConditionKey, _ origin: RequestOrigin) -> Fact? {
        let head = origin.head
        switch key {
        case .sourceIP: return IPAddress(Array(caller.address.utf8)).map { .address($0) }
        case .secureTransport: return .flag(origin.isTLS)
        case .referer: return head.first("referer").map { .text(Array($0)) }
        case .userAgent: return head.first("user-agent").map { .text(Array($0)) }
        case .prefix: return query("prefix", origin)
        case .delimiter: return query("delimiter", origin)
        case .maxKeys:
            return origin.query["max-keys"].flatMap { Ascii.decimal($0) }.flatMap { Int64(exactly: $0) }
                .map { .number($0) }
        case .versionID: return query("versionId", origin)
        case .authType:
            if head.first("authorization") != nil { return text("REST-HEADER") }
            return caller.principal == .anonymous ? nil : text("REST-QUERY-STRING")
        case .signatureVersion:
            let algorithm =
                head.first("authorization")?.prefix { $0 != Ascii.space }
                ?? origin.query["X-Amz-Algorithm"].map { $0[...] }
            guard let algorithm else { return caller.principal == .anonymous ? nil : text("AWS") }
            return .text(Array(algorithm))
        case .signatureAge:
            let date = head.first("x-amz-date").map { Array($0) } ?? origin.query["X-Amz-Date"].map { Array($0) }
            guard let signed = date.flatMap({ DateFormats.parseAmz($0) }) else { return nil }
            return .number(max(0, origin.received.milliseconds - signed.milliseconds))
        default:
            guard key.name.hasPrefix("s3:") else { return nil }
            let name = Array(key.name.utf8.dropFirst(3))
            return ConditionKey.fields.first { $0.matches(name) }.flatMap { head.first($0) }.map { .text(Array($0)) }
        }
    }

    private func query(_ name: StaticString, _ origin: RequestOrigin) -> Fact? {
        origin.query[name].map { .text(Array($0)) }
    }

    private func text(_ text: String) -> Fact { .text(Array(text.utf8)) }

    private func requestTags(_ origin: RequestOrigin) -> [Tag]? {
        tags ?? origin.head.first("x-amz-tagging").flatMap { try? TagSet.parse(query: $0) }
    }
}
