import Addons
import Bytes
import Files
import Glibc
import Hooks
import JSON
import Metadata
import Targets

/// The JSON file of `OGW_CONFIG`: users, buckets, addons, targets and sources that a store shall have. Reading it checks everything that can be known
/// without the store.
struct StartFile: Sendable {
    struct Bucket: Sendable {
        var name: BucketName
        /// Nil leaves the bucket as it is.
        var versioning: VersioningState?
        /// Whether its objects are assets; nil leaves the bucket as it is.
        var assets: Bool?
    }

    struct Target: Sendable {
        var name: TargetName
        /// As `TargetEngine.set` takes it.
        var document: JSONValue
    }

    struct Source: Sendable {
        var name: TargetName
        /// As `SourceEngine.set` takes it.
        var document: JSONValue
    }

    struct Addon: Sendable {
        var name: String
        /// As `AddonRegister.set` takes it.
        var document: JSONValue
    }

    let path: String
    private(set) var users: [KnownUser] = []
    private(set) var buckets: [Bucket] = []
    private(set) var targets: [Target] = []
    private(set) var sources: [Source] = []
    private(set) var addons: [Addon] = []
    private static let sizeMax = 16 << 20
    /// Of users, and of buckets.
    private static let countMax = 100_000

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
        do throws(JSONFault) {
            let file = try JSONMembers(root, of: ["users", "buckets", "addons", "targets", "sources"], at: "")
            for (place, value) in try file.list("users", countMax: Self.countMax) {
                users.append(try Self.user(value, at: place))
            }
            for (place, value) in try file.list("buckets", countMax: Self.countMax) {
                buckets.append(try Self.bucket(value, at: place))
            }
            for (place, value) in try file.list("addons", countMax: 1000) {
                addons.append(try Self.addon(value, at: place))
            }
            for (place, value) in try file.list("targets", countMax: 1000) {
                targets.append(try Self.target(value, at: place))
            }
            for (place, value) in try file.list("sources", countMax: 1000) {
                sources.append(try Self.source(value, at: place))
            }
        } catch {
            throw SettingError(
                place: error.path.isEmpty ? path : "\(path): \(error.path)", value: error.value, wanted: error.wanted)
        }
        try refuseRepeated(users.map(\.name), in: "users", member: "name")
        try refuseRepeated(users.map { String(ascii: $0.accessKey) }, in: "users", member: "access_key")
        try refuseRepeated(buckets.map(\.name.description), in: "buckets", member: "name")
        try refuseRepeated(addons.map(\.name), in: "addons", member: "name")
        try refuseRepeated(targets.map(\.name.description), in: "targets", member: "name")
        try refuseRepeated(sources.map(\.name.description), in: "sources", member: "name")
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

    private static func user(_ value: JSONValue, at path: String) throws(JSONFault) -> KnownUser {
        let members = try JSONMembers(
            value, of: ["name", "access_key", "secret_key", "policy", "customer", "disabled"], at: path,
            secrets: ["secret_key"])
        let name = try members.requiredText("name", wanted: UserRules.nameRule)
        guard UserRules.isName(name) else { throw members.fault("name", wanted: UserRules.nameRule) }
        guard name != UserDirectory.rootName else {
            throw members.fault(
                "name", wanted: "another user, as root has its keys from OGW_ROOT_ACCESS_KEY and OGW_ROOT_SECRET_KEY")
        }
        let key = [UInt8](try members.requiredText("access_key", wanted: UserRules.accessKeyRule).utf8)
        guard UserRules.isAccessKey(key) else { throw members.fault("access_key", wanted: UserRules.accessKeyRule) }
        let secret = [UInt8](try members.requiredText("secret_key", wanted: UserRules.secretRule).utf8)
        guard UserRules.isSecret(secret) else { throw members.fault("secret_key", wanted: UserRules.secretRule) }
        let policies = CannedPolicy.allCases.map(\.rawValue).joined(separator: ", ")
        let policy = try members.text("policy", wanted: policies) ?? CannedPolicy.readwrite.rawValue
        guard let policy = CannedPolicy(rawValue: policy) else { throw members.fault("policy", wanted: policies) }
        let customer = try members.text("customer", wanted: UserRules.customerRule)
        if let customer, !UserRules.isName(customer) {
            throw members.fault("customer", wanted: UserRules.customerRule)
        }
        return KnownUser(
            name: name, accessKey: key, secret: secret, policy: policy, customer: customer,
            isDisabled: try members.flag("disabled") ?? false)
    }

    /// The target's name beside what `PUT /api/targets` takes.
    private static func target(_ value: JSONValue, at path: String) throws(JSONFault) -> Target {
        let members = try JSONMembers(anyOf: value, at: path, secrets: ["secret"])
        let text = try members.requiredText("name", wanted: TargetName.wanted)
        guard let name = TargetName(text) else { throw members.fault("name", wanted: TargetName.wanted) }
        let document = withoutName(value)
        _ = try TargetSettings(name.kind, reading: document, at: path)
        return Target(name: name, document: document)
    }

    /// The source's name beside what `PUT /api/sources` takes.
    private static func source(_ value: JSONValue, at path: String) throws(JSONFault) -> Source {
        let members = try JSONMembers(anyOf: value, at: path, secrets: ["secret"])
        let text = try members.requiredText("name", wanted: SourceSettings.nameWanted)
        guard let name = SourceSettings.name(text) else {
            throw members.fault("name", wanted: SourceSettings.nameWanted)
        }
        let document = withoutName(value)
        _ = try SourceSettings(reading: document, at: path)
        return Source(name: name, document: document)
    }

    /// The addon's name beside what `PUT /api/addons` takes.
    private static func addon(_ value: JSONValue, at path: String) throws(JSONFault) -> Addon {
        let members = try JSONMembers(anyOf: value, at: path, secrets: ["secret"])
        let name = try members.requiredText("name", wanted: HookName.wanted)
        guard HookName.isName(name) else { throw members.fault("name", wanted: HookName.wanted) }
        let document = withoutName(value)
        _ = try AddonSettings(reading: document, at: path)
        return Addon(name: name, document: document)
    }

    private static func withoutName(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(members.filter { $0.name != "name" })
    }

    private static func bucket(_ value: JSONValue, at path: String) throws(JSONFault) -> Bucket {
        let members = try JSONMembers(value, of: ["name", "versioning", "assets"], at: path)
        let text = try members.requiredText("name", wanted: Administration.bucketNameRule)
        guard let name = BucketName(text.utf8) else {
            throw members.fault("name", wanted: Administration.bucketNameRule)
        }
        let wanted = "enabled, suspended or unversioned"
        let assets = try members.flag("assets")
        guard let versioning = try members.text("versioning", wanted: wanted) else {
            return Bucket(name: name, assets: assets)
        }
        for state in [VersioningState.enabled, .suspended, .unversioned] where "\(state)" == versioning {
            return Bucket(name: name, versioning: state, assets: assets)
        }
        throw members.fault("versioning", wanted: wanted)
    }
}
