import Addons
import Bytes
import Hooks
import Metadata
import Targets

/// Brings a store to what a start file says. Nothing is removed, and what is as it should be is not written again, so a
/// file can be applied at every start, and one that was cut off is made good by the next.
struct StartFileApplication {
    let file: StartFile
    let store: OpenStore

    /// Returns how many users, buckets, targets, sources and addons were made or changed. Throws before the first change where the file does not fit
    /// the store.
    func run() async throws(StartError) -> (users: Int, buckets: Int, targets: Int, sources: Int, addons: Int) {
        do {
            let present = try await store.users.users()
            try checkAccessKeys(present)
            let states = try await presentBuckets()
            let users = try await putUsers(over: present)
            let buckets = try await putBuckets(over: states)
            return (users, buckets, try await putTargets(), try await putSources(), try await putAddons())
        } catch let error as SettingError {
            throw StartError(error)
        } catch {
            throw StartError("OGW_CONFIG is \"\(file.path)\" and could not be applied", because: error)
        }
    }

    /// An access key passes from one user to another by hand only.
    private func checkAccessKeys(_ present: [User]) throws(SettingError) {
        var holders: [[UInt8]: String] = [:]
        for user in present { holders[user.accessKey] = user.name }
        for (index, user) in file.users.enumerated() {
            if let holder = holders[user.accessKey], holder != user.name {
                throw file.error(
                    "users", index, "access_key", value: String(ascii: user.accessKey),
                    wanted: "one that no other user of the store has (\(holder) has it)")
            }
        }
    }

    /// The file's buckets that the store has.
    private func presentBuckets() async throws -> [BucketName: Bucket] {
        var found: [BucketName: Bucket] = [:]
        for (index, wanted) in file.buckets.enumerated() {
            guard let bucket = try await store.metadata.bucket(named: wanted.name) else { continue }
            found[wanted.name] = bucket
            if wanted.versioning == .unversioned, bucket.versioning != .unversioned {
                throw file.error(
                    "buckets", index, "versioning", value: "unversioned",
                    wanted: "enabled or suspended, as versioning was on before")
            }
        }
        return found
    }

    private func putUsers(over present: [User]) async throws -> Int {
        var byName: [String: User] = [:]
        for user in present { byName[user.name] = user }
        var count = 0
        for user in file.users {
            if try await store.users.put(user, over: byName[user.name]) { count += 1 }
        }
        return count
    }

    private func putTargets() async throws -> Int {
        var count = 0
        for target in file.targets {
            if try await store.targets.set(target.name, target.document) { count += 1 }
        }
        return count
    }

    private func putSources() async throws -> Int {
        var count = 0
        for source in file.sources {
            if try await store.sources.set(source.name, source.document) == true { count += 1 }
        }
        return count
    }

    private func putAddons() async throws -> Int {
        var count = 0
        for addon in file.addons {
            if try await store.addons.set(addon.name, addon.document) { count += 1 }
        }
        return count
    }

    private func putBuckets(over present: [BucketName: Bucket]) async throws -> Int {
        var count = 0
        for wanted in file.buckets {
            let former = present[wanted.name]
            let bucket: Bucket
            if let former {
                bucket = former
            } else {
                bucket = try await store.metadata.createBucket(
                    named: wanted.name, owner: UserDirectory.rootName, at: .now())
            }
            let isSwitched = wanted.versioning != nil && wanted.versioning != bucket.versioning
            if let state = wanted.versioning, isSwitched {
                try await store.metadata.setVersioning(state, of: bucket.id)
            }
            let isTurned = wanted.assets != nil && wanted.assets != bucket.hasAssets
            if let assets = wanted.assets, isTurned {
                try await store.metadata.setAssets(assets, of: bucket.id)
            }
            if former == nil || isSwitched || isTurned { count += 1 }
        }
        return count
    }
}
