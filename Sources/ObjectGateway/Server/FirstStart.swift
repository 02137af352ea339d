import Bytes
import Metadata

/// What the first start of a store does: the buckets, and the user root. Root's row is written last and says that it is done,
/// so a first start that was cut off is made good by the next, and a bucket removed later stays removed.
struct FirstStart {
    static let buckets = [
        "audio-assets", "image-assets", "video-assets", "document-assets", "temp-uploads", "derived-assets",
        "central-storage",
    ]
    /// Its objects are short-lived, so it keeps no former versions.
    static let unversioned = "temp-uploads"

    let store: OpenStore

    /// Returns the generated credentials of root where they were made just now; they are shown once and kept nowhere.
    /// With root keys in the settings, root gets those, at every start, and nothing is returned.
    func run() async throws(StartError) -> KnownUser? {
        do {
            if let root = try await store.users.user(named: UserDirectory.rootName) {
                try await adoptConfiguredKeys(root)
                return nil
            }
            try await makeBuckets()
            let configuration = store.configuration
            let root = try await store.users.add(
                name: UserDirectory.rootName, accessKey: configuration.rootAccessKey,
                secret: configuration.rootSecretKey, policy: .admin, customer: nil)
            return configuration.rootSecretKey == nil ? root : nil
        } catch UserError.store(.userExists) {
            // Another gateway of the store did the same at the same time, and shows its credentials.
            return nil
        } catch UserError.store(.accessKeyExists) {
            throw StartError("OGW_ROOT_ACCESS_KEY is the access key of another user: wanted one of root's own.")
        } catch {
            throw StartError("The first start failed", because: error)
        }
    }

    private func adoptConfiguredKeys(_ root: User) async throws {
        guard let accessKey = store.configuration.rootAccessKey, let secret = store.configuration.rootSecretKey else {
            return
        }
        let isSame = try root.accessKey == accessKey && store.users.secret(of: root) == secret
        if !isSame {
            _ = try await store.users.rotate(name: root.name, accessKey: accessKey, secret: secret)
        }
    }

    private func makeBuckets() async throws {
        for text in Self.buckets {
            guard let name = BucketName(text.utf8) else { continue }
            var bucket = try await store.metadata.bucket(named: name)
            if bucket == nil {
                do throws(MetadataError) {
                    bucket = try await store.metadata.createBucket(
                        named: name, owner: UserDirectory.rootName, at: .now())
                } catch {
                    guard case .bucketExists = error else { throw error }
                    bucket = try await store.metadata.bucket(named: name)
                }
            }
            if let bucket, text != Self.unversioned, bucket.versioning != .enabled {
                try await store.metadata.setVersioning(.enabled, of: bucket.id)
            }
        }
    }

    /// What is printed once, with lines to paste.
    static func welcome(_ root: KnownUser, endpoint: String, region: String) -> String {
        """
        First start. These are the credentials of the user root; they are shown this once:

          export AWS_ACCESS_KEY_ID=\(String(ascii: root.accessKey))
          export AWS_SECRET_ACCESS_KEY=\(String(ascii: root.secret))
          export AWS_DEFAULT_REGION=\(region)

        Paste them into a shell with the aws-cli, then try:

          aws --endpoint-url \(endpoint) s3 mb s3://my-bucket
          aws --endpoint-url \(endpoint) s3 cp photo.jpg s3://my-bucket/
          aws --endpoint-url \(endpoint) s3 ls s3://my-bucket/
          aws --endpoint-url \(endpoint) s3 presign s3://my-bucket/photo.jpg

        If they are lost, `ogw user rotate root` makes a new secret key.

        """
    }
}
