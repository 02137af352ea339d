import Files
import Metadata
import Search
import TestSupport
import Testing

@testable import Metadata

/// A store with an asset bucket, two users of different customers, and the store's index.
struct SearchScene {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case embedded
        /// Nothing of documents is kept in memory.
        case embeddedByRows
        case mongoDB

        var testDescription: String { rawValue }
    }

    let store: any MetadataStore
    let index: any AssetSearch
    let bucket: BucketID
    private let end: @Sendable () async throws -> Void
    var subject: Subject { Subject(store: store) }

    /// Follows from now on.
    init(_ kind: Kind) async throws {
        switch kind {
        case .embedded, .embeddedByRows:
            let embedded = try Embedded()
            let index = SearchIndex(
                embedded.store, interval: .milliseconds(5), memoryMax: kind == .embedded ? 1 << 20 : 0)
            self.init(embedded, index, try await Self.fill(embedded.store))
        case .mongoDB:
            let shared = try await Shared()
            shared.store.startRelay()
            let folder = try MigrationScene.emptyFolder([UInt8](repeating: 5, count: 16))
            let index = SearchIndex(shared.store, in: folder.data, interval: .milliseconds(5))
            self.init(shared, index, try await Self.fill(shared.store), keeping: folder)
        }
        index.start()
    }

    init(_ embedded: Embedded, _ search: SearchIndex, _ bucket: BucketID) {
        (store, index, self.bucket) = (embedded.store, search, bucket)
        end = {
            await search.stop()
            await embedded.close()
        }
    }

    init(
        _ shared: Shared, _ search: SearchIndex, _ bucket: BucketID,
        keeping folder: (keeper: TemporaryFolder, data: DataFolder)
    ) {
        (store, index, self.bucket) = (shared.store, search, bucket)
        end = {
            await search.stop()
            try shared.drop()
            folder.data.close()
        }
    }

    /// A bucket with assets, and the users.
    static func fill(_ store: any MetadataStore) async throws -> BucketID {
        let bucket = try await Subject(store: store).bucket(.enabled)
        try await store.setAssets(true, of: bucket)
        for name in ["alice", "bob"] {
            try await store.addUser(
                User(
                    name: name, accessKey: Array(name.utf8), sealedSecret: [2], policy: .readwrite,
                    customer: name == "alice" ? "acme" : "other", isDisabled: false, created: .fixed))
        }
        return bucket
    }

    func put(
        _ key: String, owner: String = "alice", size: UInt64 = 10, type: String? = nil, tags: [String] = [],
        title: String? = nil
    ) async throws {
        var attributes = ObjectAttributes()
        attributes.contentType = type.map { Array($0.utf8) }
        if let title {
            attributes.userMetadata = [UserMetadata(name: Array("title".utf8), value: Array(title.utf8))]
        }
        _ = try await store.publish(
            NewVersion(
                bucket: bucket, key: .of(key), owner: owner, size: size, etag: ETag(md5: .md5(1)),
                attributes: attributes, checksum: nil, tags: tags.map { Tag(key: Array($0.utf8), value: []) },
                content: .blob(BlobID(Blobs.next()))))
    }

    /// Returns when all that was committed is in.
    func settle() async throws {
        await index.settle()
    }

    func answer(
        _ text: String, customer: String? = nil, sort: SearchSort = .relevance, limit: Int = 50,
        after: SortPlace? = nil, facets: Set<Facet> = []
    ) async throws -> SearchAnswer {
        try await settle()
        return try await index.search(
            SearchRequest(
                query: try SearchQuery.parse(Array(text.utf8)), customer: customer.map { Array($0.utf8) },
                sort: sort, limit: limit, after: after, facets: facets))
    }

    func keys(_ answer: SearchAnswer) async throws -> [String] {
        try await store.assets(answer.hits.compactMap { AssetID(bytes: $0.id) }).map(\.asset.key.text)
    }

    func keys(_ text: String, customer: String? = nil, sort: SearchSort = .relevance) async throws -> [String] {
        try await keys(try await answer(text, customer: customer, sort: sort))
    }

    func close() async throws { try await end() }
}
