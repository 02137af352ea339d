import Bytes
import Mongo

/// A user: `{_id: name, accessKey, secret, policy, customer, disabled, created (ms), added}`, where `added` is random.
extension MongoStore {
    public func user(accessKey: [UInt8]) async throws(MetadataError) -> User? {
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["accessKey": .text(KeyText.encode(accessKey))], in: MongoSchema.users)
        }
        return try view.map { (view) throws(MetadataError) in try Self.user(view) }
    }

    public func users() async throws(MetadataError) -> [User] {
        let query = MongoDatabase.Query([:], sort: ["_id": 1], limit: configuration.userCountMax)
        let views = try await perform { (database) throws(MongoError) in
            try database.find(query, in: MongoSchema.users).documents
        }
        var users: [User] = []
        for view in views { users.append(try Self.user(view)) }
        return users
    }

    public func addUser(_ user: User) async throws(MetadataError) {
        let count = try await perform { (database) throws(MongoError) in try database.count(of: MongoSchema.users) }
        if count >= Int64(configuration.userCountMax) { throw .limitExceeded("\(configuration.userCountMax) users") }
        // An insert may have been done before, so what is there afterwards tells: this user, or what stood in its way.
        let token = HeadChange.newWrite()
        var document = Self.document(user)
        document.append("added", .int64(token))
        try await perform { (database) throws(MongoError) in
            try database.insert([document], ignoringDuplicates: true, into: MongoSchema.users)
        }
        let view = try await perform { (database) throws(MongoError) in
            try database.findOne(["_id": .text(user.name)], in: MongoSchema.users)
        }
        guard let view else { throw .accessKeyExists }
        if view["added"]?.integer != token { throw .userExists }
    }

    public func updateUser(_ user: User) async throws(MetadataError) {
        let outcome = try await perform { (database) throws(MongoError) -> Int64? in
            do throws(MongoError) {
                return try database.update(
                    [MongoDatabase.Update(["_id": .text(user.name)], .document(Self.document(user)))],
                    in: MongoSchema.users)
            } catch .duplicateKey {
                return nil
            }
        }
        guard let outcome else { throw .accessKeyExists }
        customers.forget(user.name)
        if outcome == 0 { throw .noSuchUser }
    }

    static func document(_ user: User) -> BSONDocument {
        var document: BSONDocument = [
            "_id": .text(user.name), "accessKey": .text(KeyText.encode(user.accessKey)),
            "secret": .binary(user.sealedSecret), "policy": .text(user.policy.rawValue),
            "disabled": .bool(user.isDisabled), "created": .int64(user.created.milliseconds),
        ]
        document.append("customer", user.customer.map { .text($0) })
        return document
    }

    private static func user(_ view: BSONView) throws(MetadataError) -> User {
        guard let name = view["_id"]?.text, let accessKey = view["accessKey"]?.text.flatMap({ KeyText.decode($0) }),
            let secret = view["secret"]?.binary,
            let policy = view["policy"]?.text.flatMap({ CannedPolicy(rawValue: String(decoding: $0, as: UTF8.self)) })
        else { throw .broken("users: a malformed document") }
        return User(
            name: String(decoding: name, as: UTF8.self), accessKey: accessKey, sealedSecret: secret, policy: policy,
            customer: view["customer"]?.text.map { String(decoding: $0, as: UTF8.self) },
            isDisabled: view["disabled"]?.isTrue == true,
            created: Timestamp(milliseconds: view["created"]?.integer ?? 0))
    }
}
