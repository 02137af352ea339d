import Bytes
import Glibc
import SimulatedDisk
import Testing

@testable import Policies

/// The evaluator beside one that was written apart, over random policies, ACLs and requests. `OGW_POLICY_CASES` says how many, and
/// `OGW_POLICY_SEED` from where.
@Suite struct ReferenceTests {
    private static func setting(_ name: String, _ otherwise: UInt64) -> UInt64 {
        // SAFETY: the environment is not changed while tests run.
        unsafe getenv(name).flatMap { unsafe UInt64(String(cString: $0)) } ?? otherwise
    }

    @Test func `each decision is the one that AWS's documentation leads to`() {
        let seed = Self.setting("OGW_POLICY_SEED", 1)
        var random = RandomCases(generator: SplitMix64(seed: seed))
        let count = Int(Self.setting("OGW_POLICY_CASES", 4_000))
        var allowed = 0
        var judged = 0
        while judged < count {
            let scene = random.scene()
            guard let compiled = scene.compiled() else { continue }
            for _ in 0..<8 {
                let request = random.request()
                let object = random.bool(0.7) ? random.grants() : nil
                let expected = ReferenceEvaluator().allows(
                    request, user: scene.user, bucket: scene.bucket, object: object)
                let decision = Decision.decide(
                    random.compiled(request), user: compiled.user, bucket: compiled.bucket,
                    object: object.map(RandomCases.acl))
                judged += 1
                if expected { allowed += 1 }
                if decision.isAllowed != expected {
                    Issue.record(
                        "seed \(seed), case \(judged): \(decision), expected \(expected)\n\(request)\n\(scene.written)\n\(String(describing: object))"
                    )
                    return
                }
            }
        }
        // Both answers occur, or the comparison proves little.
        #expect(allowed * 10 > judged && allowed * 10 < judged * 9, "\(allowed) of \(judged) allowed")
    }
}

/// Policies with few names, so that they often meet.
struct RandomCases {
    typealias JSON = ReferenceEvaluator.JSON

    struct Scene {
        var user: [JSON]
        var bucket: ReferenceEvaluator.Bucket

        var written: String {
            "\(user.map(\.written))\n\(bucket.policy?.written ?? "no policy")\n\(bucket)"
        }

        /// Nil for policies that are refused, such as one whose actions cannot be done to its resources.
        func compiled() -> (user: [CompiledPolicy], bucket: BucketRules)? {
            var rules = BucketRules(
                acl: RandomCases.acl(bucket.acl),
                ownership: ObjectOwnership(rawValue: bucket.ownership) ?? .objectWriter,
                publicAccess: PublicAccess(
                    ignoresPublicACLs: bucket.ignoresPublicACLs, restrictsPublicBuckets: bucket.restrictsPublicBuckets))
            if let policy = bucket.policy {
                guard
                    let document = try? PolicyDocument(
                        parsing: Array(policy.written.utf8), for: .bucket(Array("b1".utf8))),
                    let compiled = CompiledPolicy(document)
                else { return nil }
                rules.policy = .readable(compiled)
            }
            var policies: [CompiledPolicy] = []
            for policy in user {
                guard let document = try? PolicyDocument(parsing: Array(policy.written.utf8), for: .user),
                    let compiled = CompiledPolicy(document)
                else { return nil }
                policies.append(compiled)
            }
            return (policies, rules)
        }
    }

    var generator: SplitMix64

    mutating func bool(_ chance: Double) -> Bool { Double.random(in: 0..<1, using: &generator) < chance }
    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &generator)]
    }
    mutating func some(_ values: [String], _ most: Int) -> [String] {
        (0..<Int.random(in: 1...most, using: &generator)).map { _ in pick(values) }
    }
    mutating func texts(_ values: [String]) -> JSON {
        let values = some(values, 3)
        return values.count == 1 ? .text(values[0]) : .list(values.map(JSON.text))
    }

    // MARK: Policies

    mutating func scene() -> Scene {
        let policy = bool(0.8) ? self.policy(ofBucket: true) : nil
        return Scene(
            user: (0..<Int.random(in: 0...2, using: &generator)).map { _ in self.policy(ofBucket: false) },
            bucket: ReferenceEvaluator.Bucket(
                policy: policy, policyIsPublic: policy.map(isPublic) ?? false, acl: grants(),
                ownership: pick(["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]),
                ignoresPublicACLs: bool(0.3), restrictsPublicBuckets: bool(0.3)))
    }

    /// As AWS says it for what is made here: everyone is named, and no address or user binds the grant.
    private func isPublic(_ policy: JSON) -> Bool {
        guard case .list(let statements)? = policy["Statement"] else { return false }
        return statements.contains { statement in
            guard statement["Effect"]?.texts == ["Allow"] else { return false }
            let named = statement["Principal"].map { $0["AWS"]?.texts ?? $0.texts } ?? ["*"]
            guard named.contains("*") else { return false }
            guard case .object(let operators)? = statement["Condition"] else { return true }
            let hasVariables = policy["Version"]?.texts == ["2012-10-17"]
            func isFixed(_ text: String, isPattern: Bool) -> Bool {
                if hasVariables, text.contains("${aws") || text.contains("${s3") { return false }
                let plain = hasVariables ? text.replacing("${*}", with: "") : text
                return !isPattern || !plain.contains("*") && !plain.contains("?")
            }
            return !operators.contains { name, keys in
                guard case .object(let keys) = keys else { return false }
                return keys.contains { key, values in
                    switch name.replacing("ForAnyValue:", with: "") {
                    case "IpAddress":
                        key == "aws:SourceIp" && !values.texts.contains { $0.hasSuffix("/0") || $0.hasSuffix("/4") }
                    case "StringEquals", "StringEqualsIgnoreCase":
                        key == "aws:username" && values.texts.allSatisfy { isFixed($0, isPattern: false) }
                    case "StringLike":
                        key == "aws:username" && values.texts.allSatisfy { isFixed($0, isPattern: true) }
                    case "ArnEquals", "ArnLike":
                        key == "aws:PrincipalArn" && values.texts.allSatisfy { isFixed($0, isPattern: true) }
                    default: false
                    }
                }
            }
        }
    }

    private mutating func policy(ofBucket: Bool) -> JSON {
        // Without variables the same text is another one; that both agree on it is a case as well.
        let version = bool(0.9) ? "2012-10-17" : "2008-10-17"
        let statements = (0..<Int.random(in: 1...3, using: &generator)).map { _ in statement(ofBucket: ofBucket) }
        return .object([("Version", .text(version)), ("Statement", .list(statements))])
    }

    private mutating func statement(ofBucket: Bool) -> JSON {
        let denies = bool(0.25)
        var members: [(String, JSON)] = [("Effect", .text(denies ? "Deny" : "Allow"))]
        if ofBucket {
            let users = [
                "arn:aws:iam::000000000000:user/ann", "arn:aws:iam:::user/bob", "arn:aws:iam::000000000000:root", "*",
            ]
            let principal: JSON = bool(0.3) ? .text("*") : .object([("AWS", texts(users))])
            members.append((denies && bool(0.3) ? "NotPrincipal" : "Principal", principal))
        }
        members.append((bool(0.15) ? "NotAction" : "Action", texts(Self.actions)))
        let resources =
            ofBucket ? Self.resources : Self.resources + ["arn:aws:s3:::b2/*", "arn:aws:sqs:::q", "*", "arn:*:s3:::b?"]
        members.append((bool(0.15) ? "NotResource" : "Resource", texts(resources)))
        if bool(0.6) {
            var operators: [(String, JSON)] = []
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let (name, keys) = condition()
                if !operators.contains(where: { $0.0 == name }) { operators.append((name, keys)) }
            }
            members.append(("Condition", .object(operators)))
        }
        return .object(members)
    }

    private static let actions = [
        "s3:GetObject", "s3:Get*", "s3:PutObject", "s3:*", "*", "s3:ListBucket", "S3:list*", "s3:DeleteObject",
        "s3:?etObject",
        "s3:*Acl", "s3:*Policy",
    ]
    private static let resources = [
        "arn:aws:s3:::b1", "arn:aws:s3:::b1/*", "arn:aws:s3:::b1/a/*", "arn:aws:s3:::b1/*a*b*", "arn:aws:s3:::b1/?",
        "arn:aws:s3:::b1/${aws:username}/*", "arn:aws:s3:::b1/${aws:username, 'a'}*", "arn:aws:s3:::b1/x${*}y",
        "arn:aws:s3:::b*",
        "arn:aws:s3:::b1/${s3:prefix}", "arn:aws:s3:::b1/\u{E9}?",
    ]

    private mutating func condition() -> (String, JSON) {
        let strings = [
            "a", "A", "a/", "a/*", "*", "?", "ann", "${aws:username}", "${aws:username}/*", "${s3:prefix, 'a'}", "${*}",
            "bo?",
        ]
        let stringKeys = [
            "s3:prefix", "S3:Delimiter", "aws:username", "aws:UserAgent", "s3:ExistingObjectTag/team",
            "s3:ExistingObjectTag/Team",
            "s3:RequestObjectTagKeys", "s3:x-amz-acl",
        ]
        let names: [String], keys: [String], values: [String]
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4:
            names = [
                "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
                "StringNotLike",
            ]
            (keys, values) = (stringKeys, strings)
        case 4:
            names = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map {
                "Numeric\($0)"
            }
            (keys, values) = (["s3:max-keys"], ["1", "10", "10.0", "1000", "-1", "2.5"])
        case 5:
            names = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map {
                "Date\($0)"
            }
            keys = ["aws:CurrentTime", "aws:EpochTime"]
            values = ["2026-11-28T10:20:30Z", "2026-11-28", "2024-02-29T23:59:59Z", "1795861230", "1000000000"]
        case 6:
            (names, keys, values) = (["Bool"], ["aws:SecureTransport"], ["true", "false", "${aws:SecureTransport}"])
        case 7:
            names = ["IpAddress", "NotIpAddress"]
            (keys, values) = (
                ["aws:SourceIp"], ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/31", "0.0.0.0/0", "16.0.0.0/4", "192.0.2.0/24"]
            )
        case 8:
            names = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]
            keys = ["aws:PrincipalArn"]
            values = [
                "arn:aws:iam::000000000000:user/ann", "arn:aws:iam::000000000000:user/*",
                "arn:aws:iam::*:user/${aws:username}",
                "arn:aws:iam::000000000000:user/?o?",
            ]
        default:
            (names, keys, values) = (["Null"], stringKeys + ["s3:max-keys"], ["true", "false"])
        }
        var name = pick(names)
        if name != "Null" {
            name = (bool(0.25) ? pick(["ForAllValues:", "ForAnyValue:"]) : "") + name + (bool(0.2) ? "IfExists" : "")
        }
        let key = pick(keys)
        return (name, .object([(key, texts(values))]))
    }

    mutating func grants() -> ReferenceEvaluator.Grants {
        let owner = pick(["ann", "bob", "root"])
        return ReferenceEvaluator.Grants(
            owner: owner,
            list: (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                (
                    pick(["ann", "bob", owner, "AllUsers", "AuthenticatedUsers"]),
                    pick(["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"])
                )
            })
    }

    static func acl(_ grants: ReferenceEvaluator.Grants) -> ACL {
        ACL(
            owner: grants.owner,
            grants: grants.list.compactMap { name, permission in
                let grantee: Grantee =
                    switch name {
                    case "AllUsers": .group(.allUsers)
                    case "AuthenticatedUsers": .group(.authenticatedUsers)
                    default: .user(name)
                    }
                return Permission(rawValue: permission).map { Grant(grantee, $0) }
            })
    }

    // MARK: Requests

    mutating func request() -> ReferenceEvaluator.Request {
        let user = pick(["ann", "ann", "bob", "bob", nil, nil, "root"])
        let action = pick([
            "s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
            "s3:ListBucket",
            "s3:GetBucketAcl", "s3:PutBucketAcl", "s3:GetObjectAcl", "s3:PutObjectAcl", "s3:DeleteBucketPolicy",
            "s3:GetBucketTagging",
        ])
        let ofBucket = action.contains("Bucket")
        let key = pick([
            "a", "a/b", "ann/x", "bob/", "xay", "x*y", "aab", "aXbYaab", "\u{E9}\u{20AC}", "\u{E9}x", "b:c",
        ])
        var facts = ["aws:securetransport": [pick(["true", "false"])]]
        facts["aws:currenttime"] = [pick(["2026-11-28T10:20:30Z", "2024-02-29T23:59:59Z"])]
        facts["aws:epochtime"] = [pick(["1795861230", "1000000000"])]
        facts["aws:sourceip"] = [pick(["10.1.2.3", "10.1.2.2", "192.0.2.77", "17.0.0.1"])]
        if let user {
            facts["aws:username"] = [user]
            facts["aws:principalarn"] = ["arn:aws:iam::000000000000:" + (user == "root" ? "root" : "user/\(user)")]
        }
        if bool(0.5) { facts["s3:prefix"] = [pick(["", "a", "a/", "a/b", "ann/", "*"])] }
        if bool(0.3) { facts["s3:delimiter"] = ["/"] }
        if bool(0.5) { facts["s3:max-keys"] = [pick(["1", "10", "1000"])] }
        if bool(0.5) { facts["aws:useragent"] = [pick(["a", "A", "\u{E9}", "ann"])] }
        if bool(0.5) { facts["s3:existingobjecttag/team"] = [pick(["a", "ann", "?"])] }
        if bool(0.3) { facts["s3:existingobjecttag/Team"] = [pick(["a", "bob"])] }
        if bool(0.4) { facts["s3:requestobjecttagkeys"] = some(["a", "A", "ann"], 3) }
        if bool(0.2) { facts["s3:requestobjecttagkeys"] = [] }
        return ReferenceEvaluator.Request(
            user: user, action: action, resource: ofBucket ? "b1" : "b1/\(key)", facts: facts)
    }

    func compiled(_ request: ReferenceEvaluator.Request) -> PolicyRequest {
        var facts = Facts()
        for (key, values) in request.facts {
            facts[ConditionKey(key)] = values.map { value in
                switch key {
                case "aws:securetransport": .flag(value == "true")
                case "s3:max-keys", "aws:epochtime": Int64(value).map(Fact.number) ?? .text(Array(value.utf8))
                case "aws:sourceip": IPAddress(value).map(Fact.address) ?? .text(Array(value.utf8))
                case "aws:currenttime": PolicyDate.parse(Array(value.utf8)).map(Fact.moment) ?? .text(Array(value.utf8))
                default: .text(Array(value.utf8))
                }
            }
        }
        let caller: PolicyCaller =
            switch request.user {
            case nil: .anonymous
            case "root"?: .root
            case let name?: .user(name)
            }
        let parts = request.resource.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return PolicyRequest(
            caller: caller, action: Action(name: request.action) ?? .getObjectTorrent, bucket: Array(parts[0].utf8),
            key: parts.count == 2 ? Array(parts[1].utf8) : nil, facts: facts)
    }
}
