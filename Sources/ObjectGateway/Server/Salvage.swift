import Buckets
import Bytes
import Digests
import Files
import Metadata
public import Threads

/// What `OpenStore.salvage` found and could not find.
public struct SalvageReport: Sendable {
    /// Objects, former versions among them, that are in the new store.
    public var objects = 0
    /// Of those, the ones of which nothing but their files told.
    public var objectsFromFiles = 0
    public var bytes: UInt64 = 0
    /// What is lost, in words, at most the first thousand.
    public var lost: [String] = []
    public var lostCount = 0

    mutating func note(lost what: String) {
        lostCount += 1
        if lost.count < 1_000 { lost.append(what) }
    }
}

extension OpenStore {
    /// Writes into a new store what can still be read of one whose database, bases and log do not give it back: objects whose
    /// metadata is known, and those that only their files tell of, under the names that these carry. The old folder is only read.
    ///
    /// Version ids and dates are new; users are not carried over. What was deleted may be there again where the deletion is lost.
    public static func salvage(
        _ path: String, into configuration: GatewayConfiguration, pool: Pool
    ) async throws(StartError) -> SalvageReport {
        guard exists(in: path) else { throw StartError("OGW_DATA is \"\(path)\": wanted the folder of a store.") }
        guard !exists(in: configuration.data) else {
            throw StartError("--salvage-into is \"\(configuration.data)\": wanted a folder without a store.")
        }
        let old = try open(folder: path)
        defer { old.close() }
        let new = try await open(configuration, pool: pool)
        let viewPath = "\(configuration.data)/meta/salvaged.db"
        defer { _ = try? old.disk.remove(viewPath) }
        do {
            let view = try SalvagedView.read(old, into: viewPath)
            var salvage = Salvage(new: new, view: view, files: try SalvagedFiles(old, pool: pool))
            for damage in view.damage { salvage.report.note(lost: damage) }
            try await salvage.run()
            await new.close()
            return salvage.report
        } catch {
            await new.close()
            throw StartError("What is left in \(path) cannot be written into \(configuration.data): \(error).")
        }
    }
}

/// One run of it.
private struct Salvage {
    let new: OpenStore
    let view: SalvagedView
    let files: SalvagedFiles
    var report = SalvageReport()
    /// Buckets of the new store.
    private var buckets: [BucketName: Bucket] = [:]

    init(new: OpenStore, view: SalvagedView, files: SalvagedFiles) {
        (self.new, self.view, self.files) = (new, view, files)
    }

    /// Files first: what the metadata knows is newer, or as new.
    mutating func run() async throws {
        try await publishFiles()
        for id in try view.bucketIDs() { try await publishVersions(of: id) }
    }

    // MARK: What only files tell of

    private struct PartFile {
        var number: Int
        var blob: StoredBlob
    }

    private mutating func publishFiles() async throws {
        var uploads: [UploadID: (label: BlobLabel, parts: [PartFile])] = [:]
        for id in try files.ids() where try view.blob(id) == nil && !view.isGarbage(id) {
            guard let (size, label) = try files.says(id), let label else {
                report.note(lost: "blob \(id.value): its file does not say what it is")
                continue
            }
            let blob = StoredBlob(id: id, size: size, crc32c: nil, location: .file)
            guard let upload = label.upload else {
                try await publish([PartFile(number: 1, blob: blob)], label, isMultipart: false)
                continue
            }
            // Parts of an upload that is known to be unfinished, or finished, are no object of their own.
            if try view.knows(upload) { continue }
            uploads[upload, default: (label, [])].parts.append(PartFile(number: label.partNumber, blob: blob))
        }
        for (label, parts) in uploads.values {
            // The newest of each number, in order.
            let newest = Dictionary(parts.map { ($0.number, $0) }) { $0.blob.id > $1.blob.id ? $0 : $1 }
            let ordered = newest.values.sorted { $0.number < $1.number }
            guard ordered.map(\.number) == Array(1...ordered.count) else {
                report.note(lost: "\(label.bucket)/\(label.key.text): parts of its upload are missing")
                continue
            }
            try await publish(ordered, label, isMultipart: true)
        }
    }

    private mutating func publish(_ parts: [PartFile], _ label: BlobLabel, isMultipart: Bool) async throws {
        var attributes = ObjectAttributes()
        attributes.contentType = label.contentType
        let digests = Lock<[[UInt8]]>([])
        let source = files.source(parts.map(\.blob)) { md5 in digests.withLock { $0.append(md5) } }
        let bucket = try await bucket(named: label.bucket, like: nil)
        do {
            let staged = try await new.objects.stage(source, digests: [], sizeMax: .max)
            let ofParts = digests.withLock { $0 }
            let etag =
                isMultipart
                ? ETag(md5: Digest.md5(ofParts.flatMap { $0 }), partCount: ofParts.count)
                : ETag(md5: ofParts.first ?? [])
            let version = try await new.objects.publish(
                staged,
                as: NewVersion(
                    bucket: bucket.id, key: label.key, owner: bucket.owner, size: 0, etag: etag, attributes: attributes,
                    checksum: nil, tags: [], content: .empty))
            count(version)
            report.objectsFromFiles += 1
        } catch let error as BucketsError where error.isAboutTheSource {
            report.note(lost: "\(label.bucket)/\(label.key.text): \(error)")
        }
    }

    // MARK: What the metadata knows

    private mutating func publishVersions(of id: BucketID) async throws {
        let known = try view.bucket(id)
        guard let name = try known?.name ?? nameTold(in: id) ?? BucketName("salvaged-\(id.value)".utf8) else { return }
        let bucket = try await bucket(named: name, like: known)
        var last: ObjectVersion?
        while true {
            let page = try view.versions(in: id, after: last, limit: Self.pageLength)
            guard let end = page.last else { break }
            for version in page { try await publish(version, in: bucket) }
            last = end
        }
        if known?.versioning == .suspended { try await new.metadata.setVersioning(.suspended, of: bucket.id) }
    }

    private static let pageLength = 256

    /// The bucket that the first file of its versions names which names one.
    private func nameTold(in id: BucketID) throws -> BucketName? {
        var last: ObjectVersion?
        while true {
            let page = try view.versions(in: id, after: last, limit: Self.pageLength)
            guard let end = page.last else { return nil }
            for blob in page.flatMap(\.content.blobs) {
                if let label = try files.says(blob)?.label { return label.bucket }
            }
            last = end
        }
    }

    private mutating func publish(_ version: ObjectVersion, in bucket: Bucket) async throws {
        if version.isDeleteMarker {
            _ = try await new.objects.delete(
                DeleteRequest(bucket: bucket.id, key: version.key, version: nil, owner: version.owner))
            return
        }
        var blobs: [StoredBlob] = []
        for id in version.content.blobs {
            guard let blob = try view.blob(id) else {
                return report.note(lost: "\(bucket.name)/\(version.key.text): blob \(id.value) is nowhere")
            }
            blobs.append(blob)
        }
        do {
            let staged = try await new.objects.stage(files.source(blobs), digests: [], sizeMax: .max)
            guard staged.size == version.size else {
                return report.note(
                    lost: "\(bucket.name)/\(version.key.text): \(staged.size) of \(version.size) bytes are left")
            }
            let published = try await new.objects.publish(
                staged,
                as: NewVersion(
                    bucket: bucket.id, key: version.key, owner: version.owner, size: version.size, etag: version.etag,
                    attributes: version.attributes, checksum: version.checksum, tags: version.tags, content: .empty))
            count(published)
        } catch let error as BucketsError where error.isAboutTheSource {
            report.note(lost: "\(bucket.name)/\(version.key.text): \(error)")
        }
    }

    private mutating func count(_ version: ObjectVersion) {
        report.objects += 1
        report.bytes += version.size
    }

    /// Made on first use, with versions kept, unless the old one is known to keep none.
    private mutating func bucket(named name: BucketName, like old: Bucket?) async throws -> Bucket {
        if let bucket = buckets[name] { return bucket }
        let owner = old?.owner ?? "root"
        let bucket = try await new.metadata.createBucket(named: name, owner: owner, at: .now())
        if old?.versioning != .unversioned { try await new.metadata.setVersioning(.enabled, of: bucket.id) }
        for kind in BucketConfiguration.Kind.allCases {
            guard let document = old?.configuration[kind] else { continue }
            try await new.metadata.configure(bucket.id, kind, with: document)
        }
        buckets[name] = bucket
        return bucket
    }
}

extension BucketsError {
    /// The bytes that were to be saved are not there, or not what was written.
    fileprivate var isAboutTheSource: Bool {
        switch self {
        case .gone, .damaged: true
        default: false
        }
    }
}
