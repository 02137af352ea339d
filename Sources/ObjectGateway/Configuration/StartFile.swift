import Bytes
import Files
import Glibc
import Metadata

/// The JSON file of `OGW_CONFIG`: users and buckets that a store shall have. Reading it checks everything that can be known
/// without the store.
struct StartFile: Sendable {
    struct Bucket: Sendable {
        var name: BucketName
        /// Nil leaves the bucket as it is.
        var versioning: VersioningState?
        /// Whether its objects are assets; nil leaves the bucket as it is.
        var assets: Bool?
    }

    let path: String
    private(set) var users: [KnownUser] = []
    private(set) var buckets: [Bucket] = []
    private static let sizeMax = 16 << 20

    /// May block.
    static func read(_ path: String) throws(SettingError) -> StartFile {
        let text: [UInt8]
        do {
            text = try OpenFile.open(path, flags: O_RDONLY).read(at: 0, count: sizeMax + 1)
        } catch {
            throw SettingError(place: "OGW_CONFIG", value: path, wanted: "a readable file (\(error))")
        }
        guard text.count <= sizeMax else {
            throw SettingError(place: "OGW_CONFIG", value: path, wanted: "a file of at most 16 MiB")
        }
        return try StartFile(text: text, path: path)
    }

    init(text: [UInt8], path: String) throws(SettingError) {
        self.path = path
        guard let root = JSONValue(parsing: text) else {
            throw SettingError(place: "OGW_CONFIG", value: path, wanted: "a file that holds JSON")
        }
        let file = try Members(root, of: ["users", "buckets"], place: path, isRoot: true)
        for (place, value) in try file.list("users") { users.append(try Self.user(value, place: place)) }
        for (place, value) in try file.list("buckets") { buckets.append(try Self.bucket(value, place: place)) }
        try refuseRepeated(users.map(\.name), in: "users", member: "name")
        try refuseRepeated(users.map { String(ascii: $0.accessKey) }, in: "users", member: "access_key")
        try refuseRepeated(buckets.map(\.name.description), in: "buckets", member: "name")
    }

    /// What is found only when the file meets the store.
    func error(_ list: String, _ index: Int, _ member: String, value: String, wanted: String) -> SettingError {
        SettingError(place: "\(path): \(list)[\(index)].\(member)", value: value, wanted: wanted)
    }

    private func refuseRepeated(_ values: [String], in list: String, member: String) throws(SettingError) {
        var seen: Set<String> = []
        for (index, value) in values.enumerated() where !seen.insert(value).inserted {
            throw error(list, index, member, value: value, wanted: "one that stands once in the file")
        }
    }

    private static func user(_ value: JSONValue, place: String) throws(SettingError) -> KnownUser {
        let members = try Members(
            value, of: ["name", "access_key", "secret_key", "policy", "customer", "disabled"], place: place)
        let name = try members.required("name", wanted: UserRules.nameRule)
        guard UserRules.isName(name) else { throw members.error("name", wanted: UserRules.nameRule) }
        guard name != UserDirectory.rootName else {
            throw members.error(
                "name", wanted: "another user, as root has its keys from OGW_ROOT_ACCESS_KEY and OGW_ROOT_SECRET_KEY")
        }
        let key = [UInt8](try members.required("access_key", wanted: UserRules.accessKeyRule).utf8)
        guard UserRules.isAccessKey(key) else { throw members.error("access_key", wanted: UserRules.accessKeyRule) }
        let secret = [UInt8](try members.required("secret_key", wanted: UserRules.secretRule).utf8)
        guard UserRules.isSecret(secret) else { throw members.error("secret_key", wanted: UserRules.secretRule) }
        let policies = CannedPolicy.allCases.map(\.rawValue).joined(separator: ", ")
        let policy = try members.text("policy", wanted: policies) ?? CannedPolicy.readwrite.rawValue
        guard let policy = CannedPolicy(rawValue: policy) else { throw members.error("policy", wanted: policies) }
        let customer = try members.text("customer", wanted: UserRules.customerRule)
        if let customer, !UserRules.isName(customer) {
            throw members.error("customer", wanted: UserRules.customerRule)
        }
        return KnownUser(
            name: name, accessKey: key, secret: secret, policy: policy, customer: customer,
            isDisabled: try members.flag("disabled") ?? false)
    }

    private static func bucket(_ value: JSONValue, place: String) throws(SettingError) -> Bucket {
        let members = try Members(value, of: ["name", "versioning", "assets"], place: place)
        let text = try members.required("name", wanted: Administration.bucketNameRule)
        guard let name = BucketName(text.utf8) else {
            throw members.error("name", wanted: Administration.bucketNameRule)
        }
        let wanted = "enabled, suspended or unversioned"
        let assets = try members.flag("assets")
        guard let versioning = try members.text("versioning", wanted: wanted) else {
            return Bucket(name: name, assets: assets)
        }
        for state in [VersioningState.enabled, .suspended, .unversioned] where "\(state)" == versioning {
            return Bucket(name: name, versioning: state, assets: assets)
        }
        throw members.error("versioning", wanted: wanted)
    }
}

/// The members of one object of the file, and where it stands there. A member that is null counts as absent.
private struct Members {
    private let value: JSONValue
    /// What stands before a member's name in messages.
    private let prefix: String

    /// Throws where `value` is no object, or has a member that is not among `names`.
    init(_ value: JSONValue, of names: [String], place: String, isRoot: Bool = false) throws(SettingError) {
        let list = names.joined(separator: ", ")
        // The value is not repeated: a secret may stand in it.
        guard case .object(let members) = value else {
            throw SettingError(place: place, value: nil, wanted: "an object with members among \(list)")
        }
        prefix = isRoot ? "\(place): " : "\(place)."
        self.value = value
        for member in members where !names.contains(member.name) {
            throw SettingError(
                place: "\(prefix)\(member.name)", value: nil, wanted: "no such member, only those among \(list)")
        }
    }

    func error(_ name: String, wanted: String) -> SettingError {
        let given = self[name].map { $0.string ?? String(ascii: $0.text) }
        return SettingError(place: prefix + name, value: name == "secret_key" ? nil : given, wanted: wanted)
    }

    /// The items with the place of each.
    func list(_ name: String) throws(SettingError) -> [(place: String, value: JSONValue)] {
        guard let value = self[name] else { return [] }
        guard let items = value.array else {
            throw SettingError(place: prefix + name, value: nil, wanted: "an array of objects")
        }
        return items.enumerated().map { (place: "\(prefix)\(name)[\($0.offset)]", value: $0.element) }
    }

    func required(_ name: String, wanted: String) throws(SettingError) -> String {
        guard let text = try text(name, wanted: wanted) else { throw error(name, wanted: wanted) }
        return text
    }

    /// Nil where the member is absent.
    func text(_ name: String, wanted: String) throws(SettingError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw error(name, wanted: wanted) }
        return text
    }

    /// Nil where the member is absent.
    func flag(_ name: String) throws(SettingError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.bool else { throw error(name, wanted: "true or false") }
        return flag
    }

    private subscript(name: String) -> JSONValue? { value[name].flatMap { $0 == .null ? nil : $0 } }
}
