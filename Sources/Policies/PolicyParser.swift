import Bytes
import JSON

extension PolicyDocument {
    /// Where a policy is attached, which decides what it must and may say.
    public enum Use: Sendable, Equatable {
        /// Of the bucket with this name: has principals, and speaks of this bucket only.
        case bucket([UInt8])
        /// Of a user: has no principals, and may speak of anything.
        case user
    }

    /// In bytes (userguide/bucket-policies).
    public static let sizeMax = 20 * 1024
    /// How deep objects and lists may stand in one another; a policy needs six.
    static let depthMax = 8

    /// Reads a policy as it was sent. What is read is all that can be judged: a document that is read is never refused later.
    public init(parsing text: [UInt8], for use: Use) throws(PolicyFault) {
        guard text.count <= Self.sizeMax else {
            throw PolicyFault(
                "Normalized policy document exceeds the maximum allowed size of \(Self.sizeMax) bytes.")
        }
        guard text.first(where: { $0 != Ascii.space && $0 != Ascii.lineFeed && $0 != 0x0D && $0 != Ascii.tab }) == 0x7B
        else { throw PolicyFault("Policies must be valid JSON and the first byte must be '{'", at: "byte 0") }
        let value: JSONValue
        do {
            value = try JSONReader.read(text, depthMax: Self.depthMax)
        } catch {
            throw PolicyFault("This policy contains invalid Json", at: "byte \(error.offset): \(error.reason)")
        }
        try self.init(value, for: use)
    }

    private init(_ value: JSONValue, for use: Use) throws(PolicyFault) {
        let root = try PolicyElement(value, at: "", of: ["Version", "Id", "Statement"])
        var version = Version.of2008
        if let given = root["Version"] {
            guard let text = given.string, let known = Version(rawValue: text) else {
                throw PolicyFault("The policy must contain a valid version string", at: "Version")
            }
            version = known
        }
        let id = try root.text("Id")
        guard let list = root["Statement"] else { throw PolicyFault("Missing required field Statement") }
        let items: [JSONValue]
        if let array = list.array { items = array } else { items = [list] }
        guard !items.isEmpty else {
            throw PolicyFault("Could not parse the policy: Statement is empty!", at: "Statement")
        }
        var statements: [Statement] = []
        var sids = Set<String>()
        for (place, item) in items.enumerated() {
            let parser = StatementParser(use: use, version: version, path: "Statement[\(place)]")
            let statement = try parser.statement(item)
            if let sid = statement.sid, !sid.isEmpty, !sids.insert(sid).inserted {
                throw PolicyFault(
                    "Statement IDs (SID) in a single policy must be unique.", at: "Statement[\(place)].Sid")
            }
            statements.append(statement)
        }
        self.init(version: version, id: id, statements: statements)
    }
}

/// An object of a policy: each of its members has a name that it may have.
struct PolicyElement {
    let path: String
    let members: [JSONValue.Member]

    init(_ value: JSONValue, at path: String, of names: [String]) throws(PolicyFault) {
        guard case .object(let members) = value else { throw PolicyFault("Invalid policy syntax.", at: path) }
        self.path = path
        self.members = members
        for member in members where !names.contains(member.name) {
            throw PolicyFault("Unknown field \(member.name)", at: place(member.name))
        }
    }

    subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

    func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func text(_ name: String) throws(PolicyFault) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw PolicyFault("Invalid policy syntax.", at: place(name)) }
        return text
    }
}

/// Reads one statement.
struct StatementParser {
    private static let names = [
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
    ]

    let use: PolicyDocument.Use
    let version: PolicyDocument.Version
    let path: String

    func statement(_ value: JSONValue) throws(PolicyFault) -> Statement {
        let element = try PolicyElement(value, at: path, of: Self.names)
        let sid = try element.text("Sid")
        guard let effectText = try element.text("Effect") else {
            throw PolicyFault("Missing required field Effect", at: path)
        }
        guard let effect = Statement.Effect(rawValue: effectText) else {
            throw PolicyFault("Invalid effect: \(effectText)", at: element.place("Effect"))
        }
        let principals = try principals(of: element, effect)
        let actions = try actions(of: element)
        let resources = try resources(of: element)
        if case .bucket = use { try checkKinds(actions, resources, element) }
        let conditions = try element["Condition"].map { value throws(PolicyFault) in
            try ConditionParser(use: use, version: version, path: element.place("Condition")).conditions(value)
        }
        return Statement(
            sid: sid, effect: effect, principals: principals, actions: actions, resources: resources,
            conditions: conditions ?? [])
    }

    /// The values of `name` or of `Not` and `name`, of which exactly one must be there.
    private func selection(_ name: String, of element: PolicyElement) throws(PolicyFault) -> Selection<String> {
        let negated = "Not\(name)"
        if element[name] != nil, element[negated] != nil {
            throw PolicyFault("Statement can not have both \(name) and \(negated)", at: element.place(negated))
        }
        if let value = element[name] { return .only(try texts(value, at: element.place(name))) }
        guard let value = element[negated] else { throw PolicyFault("Missing required field \(name)", at: path) }
        return .allBut(try texts(value, at: element.place(negated)))
    }

    private func texts(_ value: JSONValue, at place: String) throws(PolicyFault) -> [String] {
        if let text = value.string { return [text] }
        guard let values = value.array, !values.isEmpty else { throw PolicyFault("Invalid policy syntax.", at: place) }
        var texts: [String] = []
        for (index, value) in values.enumerated() {
            guard let text = value.string else { throw PolicyFault("Invalid policy syntax.", at: "\(place)[\(index)]") }
            texts.append(text)
        }
        return texts
    }

    // MARK: Actions

    private func actions(of element: PolicyElement) throws(PolicyFault) -> Selection<String> {
        let selection = try selection("Action", of: element)
        for action in selection.elements {
            if action == "*" { continue }
            let parts = action.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw PolicyFault("Policy has invalid action", at: "\(path): \(action.prefix(200))")
            }
            // A user's policy may speak of other services.
            guard case .bucket = use else { continue }
            guard !ActionSet(matching: action).isEmpty else {
                throw PolicyFault("Policy has invalid action", at: "\(path): \(action.prefix(200))")
            }
        }
        return selection
    }

    // MARK: Resources

    private func resources(of element: PolicyElement) throws(PolicyFault) -> Selection<String> {
        let selection = try selection("Resource", of: element)
        for resource in selection.elements {
            guard let pattern = ResourcePattern(resource, version: version), pattern.isBounded else {
                throw invalidResource(resource)
            }
            if case .bucket(let name) = use, !pattern.mayName(bucket: name) { throw invalidResource(resource) }
        }
        return selection
    }

    private func invalidResource(_ resource: String) -> PolicyFault {
        PolicyFault("Policy has invalid resource", at: "\(path): \(resource.prefix(200))")
    }

    /// Each action must be one that some of the resources can have: an object's, the bucket's.
    private func checkKinds(
        _ actions: Selection<String>, _ resources: Selection<String>, _ element: PolicyElement
    ) throws(PolicyFault) {
        guard case .only(let actions) = actions, case .only(let resources) = resources, case .bucket(let bucket) = use
        else { return }
        let patterns = resources.compactMap { ResourcePattern($0, version: version) }
        let hasBucket = patterns.contains { $0.mayBe(bucket: bucket) }
        let hasObject = patterns.contains { $0.mayBe(objectOf: bucket) }
        for action in actions {
            let set = ActionSet(matching: action).actions
            let applies = set.contains { $0.kind == .object ? hasObject : hasBucket }
            guard applies else {
                throw PolicyFault(
                    "Action does not apply to any resource(s) in statement", at: "\(path): \(action.prefix(200))")
            }
        }
    }

    // MARK: Principals

    private func principals(
        of element: PolicyElement, _ effect: Statement.Effect
    ) throws(PolicyFault) -> Selection<Principal>? {
        guard case .bucket = use else {
            for name in ["Principal", "NotPrincipal"] where element[name] != nil {
                throw PolicyFault("Policy document should not specify a principal.", at: element.place(name))
            }
            return nil
        }
        if element["Principal"] != nil, element["NotPrincipal"] != nil {
            throw PolicyFault(
                "Statement can not have both Principal and NotPrincipal", at: element.place("NotPrincipal"))
        }
        if let value = element["Principal"] { return .only(try principals(value, at: element.place("Principal"))) }
        guard let value = element["NotPrincipal"] else {
            throw PolicyFault("Missing required field Principal", at: path)
        }
        // It would let in everyone who is not thought of; AWS refuses it.
        guard effect == .deny else {
            throw PolicyFault("Allow with NotPrincipal is not allowed.", at: element.place("NotPrincipal"))
        }
        return .allBut(try principals(value, at: element.place("NotPrincipal")))
    }

    private func principals(_ value: JSONValue, at place: String) throws(PolicyFault) -> [Principal] {
        if value.string == "*" { return [.everyone] }
        guard case .object(let kinds) = value, !kinds.isEmpty else {
            throw PolicyFault("Invalid principal in policy", at: place)
        }
        var principals: [Principal] = []
        for kind in kinds {
            for text in try texts(kind.value, at: "\(place).\(kind.name)") {
                let principal: Principal?
                switch kind.name {
                case "AWS": principal = Principal(aws: text)
                case "CanonicalUser": principal = text.isEmpty ? nil : Principal(id: text)
                case "Service", "Federated": principal = text.isEmpty ? nil : .other(text)
                default: principal = nil
                }
                guard let principal else {
                    throw PolicyFault("Invalid principal in policy", at: "\(place).\(kind.name): \(text.prefix(200))")
                }
                principals.append(principal)
            }
        }
        return principals
    }
}

extension Principal {
    /// The account of this gateway's users. No account of AWS has this number.
    public static let accountNumber = "000000000000"

    init(id: String) { self = id == PolicyCaller.rootID ? .account : .user(id) }

    /// `*`, the account's number, or an ARN of the account or of a user of it, where the account may be left out. Those of other
    /// accounts do not exist here.
    init?(aws text: String) {
        if text == "*" {
            self = .everyone
            return
        }
        if text == Self.accountNumber {
            self = .account
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1] == "aws", parts[2] == "iam", parts[3].isEmpty,
            parts[4].isEmpty || parts[4] == Self.accountNumber
        else { return nil }
        if parts[5] == "root" {
            self = .account
            return
        }
        guard parts[5].hasPrefix("user/"), parts[5].count > 5, !parts[5].contains(where: { $0 == "*" || $0 == "?" })
        else { return nil }
        self.init(id: String(parts[5].dropFirst(5)))
    }
}
