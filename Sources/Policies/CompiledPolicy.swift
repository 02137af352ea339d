/// A policy, ready to be asked: made once for each revision of its document.
public struct CompiledPolicy: Sendable {
    /// What a policy says of a request. A statement is named by its `Sid`, or by its place.
    public enum Verdict: Sendable, Equatable {
        case allows(statement: String)
        case denies(statement: String)
        case silent
    }

    /// The facts that it looks at; others need not be found out.
    public let keys: Set<ConditionKey>
    /// Whether it lets in everyone (`PublicPolicy`).
    public let isPublic: Bool
    private let statements: [CompiledStatement]

    /// Nil for a document that holds what cannot be judged. One that was parsed holds nothing of the kind.
    public init?(_ document: PolicyDocument) {
        var statements: [CompiledStatement] = []
        for (place, statement) in document.statements.enumerated() {
            guard let compiled = CompiledStatement(statement, place: place, version: document.version) else {
                return nil
            }
            statements.append(compiled)
        }
        // Denials first: the first statement that applies then decides.
        self.statements = statements.filter(\.isDenial) + statements.filter { !$0.isDenial }
        keys = statements.reduce(into: []) { $0.formUnion($1.keys) }
        isPublic = document.isPublic
    }

    public func verdict(on request: PolicyRequest) -> Verdict {
        for statement in statements where statement.applies(to: request) {
            return statement.isDenial ? .denies(statement: statement.name) : .allows(statement: statement.name)
        }
        return .silent
    }

    /// Whether some request for `action` may be denied by it.
    public func mayDeny(_ action: Action) -> Bool {
        statements.contains { $0.isDenial && $0.actions.contains(action) }
    }
}

struct CompiledStatement: Sendable {
    let name: String
    let isDenial: Bool
    let actions: ActionSet
    let keys: Set<ConditionKey>
    private let principals: CompiledPrincipals?
    private let resources: [ResourcePattern]
    private let isAllButResources: Bool
    private let conditions: [CompiledCondition]

    init?(_ statement: Statement, place: Int, version: PolicyDocument.Version) {
        name = statement.sid.flatMap { $0.isEmpty ? nil : $0 } ?? "Statement[\(place)]"
        isDenial = statement.effect == .deny
        principals = statement.principals.map { CompiledPrincipals($0, isDenial: statement.effect == .deny) }
        var named = ActionSet()
        for action in statement.actions.elements { named.formUnion(ActionSet(matching: action)) }
        if case .allBut = statement.actions { actions = named.complement } else { actions = named }
        resources = statement.resources.elements.compactMap { ResourcePattern($0, version: version) }
        if case .allBut = statement.resources { isAllButResources = true } else { isAllButResources = false }
        conditions = statement.conditions.compactMap { CompiledCondition.compile($0, version: version) }
        guard resources.count == statement.resources.elements.count, conditions.count == statement.conditions.count
        else { return nil }
        keys = Set(conditions.flatMap { [$0.key] + $0.variables } + resources.flatMap(\.variables))
    }

    func applies(to request: PolicyRequest) -> Bool {
        guard actions.contains(request.action) else { return false }
        if let principals, !principals.match(request.caller) { return false }
        guard namesResource(of: request) else { return false }
        // What cannot be told must not widen what is allowed, nor narrow what is denied.
        return conditions.allSatisfy { $0.holds(request.facts) ?? isDenial }
    }

    private func namesResource(of request: PolicyRequest) -> Bool {
        var isTold = true
        for resource in resources {
            switch resource.matches(request) {
            case true?: return !isAllButResources
            case false?: continue
            case nil: isTold = false
            }
        }
        return isAllButResources && (isTold || isDenial)
    }
}

struct CompiledPrincipals: Sendable {
    private var everyone = false
    private var root = false
    private var allUsers = false
    private var users = Set<String>()
    private let isAllBut: Bool

    init(_ selection: Selection<Principal>, isDenial: Bool) {
        if case .allBut = selection { isAllBut = true } else { isAllBut = false }
        for principal in selection.elements {
            switch principal {
            case .everyone: everyone = true
            case .account:
                root = true
                // Denied to the account is denied to its users; those who are excepted are named one by one.
                if isDenial, !isAllBut { allUsers = true }
            case .user(let name): users.insert(name)
            case .other: break
            }
        }
    }

    func match(_ caller: PolicyCaller) -> Bool {
        let isNamed =
            switch caller {
            case .anonymous: everyone
            case .root: everyone || root
            case .user(let name): everyone || allUsers || users.contains(name)
            }
        return isNamed != isAllBut
    }
}
