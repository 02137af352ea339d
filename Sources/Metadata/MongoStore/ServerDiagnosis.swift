import Mongo

extension MongoSchema {
    /// Why no server of the connection string can be used, where one of them answers and says so itself. With the name of a set in the
    /// string, a server of no set, or of another, is never chosen: whoever only waits for one learns nothing.
    static func diagnosis(of uri: MongoURI) -> MongoError? {
        // A server that wants TLS does not answer without.
        guard let set = uri.replicaSet, !uri.usesTLS else { return nil }
        for host in uri.hosts.prefix(8) {
            do throws(MongoError) {
                let direct = try MongoURI.parse(
                    "mongodb://\(host)/?directConnection=true", serverSelection_ms: 500, socket_ms: 1_000)
                let clients = try MongoClients.open(direct, countMax: 1)
                let database = MongoDatabase(clients, name: "admin", majorityWait: .seconds(1))
                let hello = try database.run(["hello": 1])
                try check(hello)
                if let found = hello["setName"]?.text, found != [UInt8](set.utf8) {
                    let name = String(decoding: found, as: UTF8.self)
                    return .unusable(
                        "the server \(host) belongs to the replica set \(name), and the connection string names \(set): write replicaSet=\(name)"
                    )
                }
            } catch {
                if case .unusable = error { return error }
            }
        }
        return nil
    }
}
