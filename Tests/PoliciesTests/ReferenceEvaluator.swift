/// What AWS documents of policies and ACLs, written down once more, slowly and over texts: nothing of it comes from the module that it
/// checks. Sources: IAM UserGuide (evaluation logic, condition operators, set operators, variables), S3 userguide (acl-overview,
/// about-object-ownership, access-control-block-public-access).
struct ReferenceEvaluator {
    indirect enum JSON {
        case text(String)
        case flag(Bool)
        case list([JSON])
        case object([(String, JSON)])

        subscript(name: String) -> JSON? {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.0 == name }?.1
        }
        var texts: [String] {
            switch self {
            case .text(let text): [text]
            case .flag(let flag): ["\(flag)"]
            case .list(let items): items.flatMap(\.texts)
            case .object: []
            }
        }
        var written: String {
            switch self {
            case .text(let text): "\"\(text)\""
            case .flag(let flag): "\(flag)"
            case .list(let items): "[\(items.map(\.written).joined(separator: ","))]"
            case .object(let members): "{\(members.map { "\"\($0)\":\($1.written)" }.joined(separator: ","))}"
            }
        }
    }

    struct Request {
        /// nil for anonymous; "root" for the account.
        var user: String?
        var action: String
        var resource: String
        /// By key, its letters lowered up to a slash.
        var facts: [String: [String]]
    }

    struct Grants {
        var owner: String
        /// (user's name, "AllUsers" or "AuthenticatedUsers"; permission).
        var list: [(String, String)]
    }

    struct Bucket {
        var policy: JSON?
        var policyIsPublic: Bool
        var acl: Grants
        var ownership: String
        var ignoresPublicACLs: Bool
        var restrictsPublicBuckets: Bool
    }

    func allows(_ request: Request, user policies: [JSON], bucket: Bucket, object: Grants?) -> Bool {
        let action = request.action.lowercased()
        if request.user == "root",
            ["s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"].contains(action)
        {
            return true
        }
        let ofUser = policies.flatMap { matching($0, request) }
        let ofBucket = bucket.policy.map { matching($0, request) } ?? []
        // Step 1: an explicit denial ends it.
        if (ofUser + ofBucket).contains("Deny") { return false }
        // Step 2: any allow of the one account suffices.
        if request.user == "root" || ofUser.contains("Allow") { return true }
        let restricted = bucket.policyIsPublic && bucket.restrictsPublicBuckets && request.user == nil
        if ofBucket.contains("Allow"), !restricted { return true }
        // ACLs, where they are on.
        if bucket.ownership == "BucketOwnerEnforced" { return false }
        func has(_ acl: Grants, _ wanted: String) -> Bool {
            if wanted.hasSuffix("_ACP"), acl.owner == request.user { return true }
            return acl.list.contains { grantee, permission in
                guard permission == wanted || permission == "FULL_CONTROL" else { return false }
                switch grantee {
                case "AllUsers": return !bucket.ignoresPublicACLs
                case "AuthenticatedUsers": return !bucket.ignoresPublicACLs && request.user != nil
                default: return grantee == request.user
                }
            }
        }
        switch action {
        case "s3:listbucket", "s3:listbucketversions", "s3:listbucketmultipartuploads": return has(bucket.acl, "READ")
        case "s3:putobject": return has(bucket.acl, "WRITE")
        case "s3:deleteobject":
            guard let user = request.user, has(bucket.acl, "WRITE") else { return false }
            return user == bucket.acl.owner || user == object?.owner
        case "s3:deleteobjectversion": return request.user == bucket.acl.owner && has(bucket.acl, "WRITE")
        case "s3:getbucketacl": return has(bucket.acl, "READ_ACP")
        case "s3:putbucketacl": return has(bucket.acl, "WRITE_ACP")
        case "s3:getobject", "s3:getobjectversion": return object.map { has($0, "READ") } ?? false
        case "s3:getobjectacl": return object.map { has($0, "READ_ACP") } ?? false
        case "s3:putobjectacl": return object.map { has($0, "WRITE_ACP") } ?? false
        default: return false
        }
    }

    /// The effects of the statements that apply.
    private func matching(_ policy: JSON, _ request: Request) -> [String] {
        guard case .list(let statements)? = policy["Statement"] else { return [] }
        let hasVariables = policy["Version"]?.texts == ["2012-10-17"]
        return statements.compactMap { statement in
            let effect = statement["Effect"]?.texts.first ?? ""
            if let named = statement["Principal"], !names(named, request, effect == "Deny") { return nil }
            if let named = statement["NotPrincipal"], names(named, request, false) { return nil }
            let isAction = (statement["Action"] ?? statement["NotAction"])?.texts.contains {
                glob(tokens($0.lowercased(), [:], false, true) ?? [], request.action.lowercased())
            }
            if isAction != (statement["Action"] != nil) { return nil }
            let arn = "arn:aws:s3:::\(request.resource)"
            let patterns = (statement["Resource"] ?? statement["NotResource"])?.texts ?? []
            let read = patterns.map { tokens($0, request.facts, hasVariables, true) }
            let isResource = read.contains { $0.map { glob($0, arn) } ?? false }
            if statement["Resource"] != nil {
                if !isResource { return nil }
            } else if isResource || (read.contains { $0 == nil } && effect == "Allow") {
                return nil
            }
            guard case .object(let operators)? = statement["Condition"] else { return effect }
            for (name, keys) in operators {
                guard case .object(let keys) = keys else { return nil }
                for (key, values) in keys {
                    if !(holds(name, key, values.texts, request.facts, hasVariables) ?? (effect == "Deny")) {
                        return nil
                    }
                }
            }
            return effect
        }
    }

    private func names(_ principal: JSON, _ request: Request, _ isDenial: Bool) -> Bool {
        let texts = principal["AWS"]?.texts ?? principal.texts
        return texts.contains { text in
            if text == "*" { return true }
            guard let user = request.user else { return false }
            if text.hasSuffix(":root") { return user == "root" || isDenial }
            return text.hasSuffix(":user/\(user)")
        }
    }

    /// nil where it would hold only because a variable has no value.
    private func holds(
        _ name: String, _ key: String, _ values: [String], _ facts: [String: [String]], _ hasVariables: Bool
    ) -> Bool? {
        var name = name
        let set = ["ForAllValues:", "ForAnyValue:"].first { name.hasPrefix($0) }
        if let set { name.removeFirst(set.count) }
        let ifExists = name.hasSuffix("IfExists")
        if ifExists { name.removeLast(8) }
        let slash = key.firstIndex(of: "/") ?? key.endIndex
        let given = facts[key[..<slash].lowercased() + key[slash...]]
        if name == "Null" { return values.contains("\(given == nil)") }
        let isNegated = name.contains("Not")
        guard let given, !given.isEmpty else {
            if ifExists || set == "ForAllValues:" { return true }
            return set == nil && isNegated
        }
        let isPattern = name.hasPrefix("StringLike") || name == "StringNotLike" || name.hasPrefix("Arn")
        let read = values.map { tokens($0, facts, hasVariables, isPattern) }
        func matches(_ fact: String) -> Bool {
            read.contains { value in
                guard let value else { return false }
                let text = String(
                    String.UnicodeScalarView(value.compactMap { if case .is(let c) = $0 { c } else { nil } }))
                return isPattern ? glob(value, fact) : compare(name, fact, text)
            }
        }
        func passes(_ fact: String) -> Bool { matches(fact) != isNegated }
        let all = set == "ForAllValues:" || (set == nil && isNegated)
        let result = all ? given.allSatisfy(passes) : given.contains(where: passes)
        return result && isNegated && read.contains(where: { $0 == nil }) ? nil : result
    }

    private func compare(_ name: String, _ fact: String, _ value: String) -> Bool {
        switch name {
        case "StringEquals", "StringNotEquals": return fact == value
        case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase": return fact.lowercased() == value.lowercased()
        case "Bool": return fact.lowercased() == value.lowercased()
        case "BinaryEquals": return fact == value
        case "IpAddress", "NotIpAddress": return isIn(fact, value)
        default: break
        }
        let isDate = name.hasPrefix("Date")
        guard let a = isDate ? seconds(fact) : Double(fact), let b = isDate ? seconds(value) : Double(value) else {
            return false
        }
        switch name.dropFirst(isDate ? 4 : 7) {
        case "Equals", "NotEquals": return a == b
        case "LessThan": return a < b
        case "LessThanEquals": return a <= b
        case "GreaterThan": return a > b
        default: return a >= b
        }
    }

    /// Of IPv4 only.
    private func isIn(_ address: String, _ range: String) -> Bool {
        func number(_ text: Substring) -> UInt32? {
            let parts = text.split(separator: ".").compactMap { UInt32($0) }
            return parts.count == 4 ? parts.reduce(0) { $0 * 256 + $1 } : nil
        }
        let parts = range.split(separator: "/")
        guard let a = number(address[...]), let b = number(parts[0]) else { return false }
        let bits = parts.count == 2 ? UInt32(parts[1]) ?? 32 : 32
        return bits == 0 || a >> (32 - bits) == b >> (32 - bits)
    }

    /// Of `2026-11-28T10:20:30Z`, `2026-11-28` and seconds.
    private func seconds(_ text: String) -> Double? {
        if let seconds = Double(text) { return seconds }
        let n = text.split { "-T:Z".contains($0) }.compactMap { Int($0) }
        guard n.count == 3 || n.count == 6 else { return nil }
        var days = 0
        for year in 1970..<n[0] { days += year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365 }
        let isLeap = n[0] % 4 == 0 && (n[0] % 100 != 0 || n[0] % 400 == 0)
        days += [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][..<(n[1] - 1)].reduce(0, +) + n[2] - 1
        return Double(days * 86_400 + (n.count == 6 ? n[3] * 3_600 + n[4] * 60 + n[5] : 0))
    }

    private enum Token: Equatable {
        case `is`(Unicode.Scalar), one, many
    }

    /// nil where a variable has no value.
    private func tokens(_ text: String, _ facts: [String: [String]], _ hasVariables: Bool, _ isPattern: Bool)
        -> [Token]?
    {
        var out: [Token] = []
        var rest = text[...]
        while let first = rest.unicodeScalars.first {
            if hasVariables, rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") {
                let inside = rest.dropFirst(2).prefix(upTo: end)
                rest = rest[rest.index(after: end)...]
                if ["*", "?", "$"].contains(inside) {
                    out += inside.unicodeScalars.map(Token.is)
                    continue
                }
                let parts = inside.split(separator: ",", maxSplits: 1).map { $0.drop { $0 == " " } }
                if let values = facts[parts[0].lowercased()], values.count == 1 {
                    out += values[0].unicodeScalars.map(Token.is)
                } else if parts.count == 2 {
                    out += parts[1].dropFirst().dropLast().unicodeScalars.map(Token.is)
                } else {
                    return nil
                }
                continue
            }
            rest = Substring(rest.unicodeScalars.dropFirst())
            out.append(isPattern && first == "*" ? .many : isPattern && first == "?" ? .one : .is(first))
        }
        return out
    }

    /// By the table of which beginnings of the pattern match which beginnings of the text.
    private func glob(_ pattern: [Token], _ text: String) -> Bool {
        let text = Array(text.unicodeScalars)
        var row = [true] + text.map { _ in false }
        for token in pattern {
            var next = [token == .many && row[0]]
            for place in text.indices {
                switch token {
                case .many: next.append(next[place] || row[place + 1])
                case .one: next.append(row[place])
                case .is(let scalar): next.append(row[place] && scalar == text[place])
                }
            }
            row = next
        }
        return row[text.count]
    }
}
