import Bytes
import Digests
import Hooks
import Metadata

/// A file that a hook made of a version, or that was made on demand.
struct StoredVariant: Sendable {
    /// The preset, or the kind of preview: the file's name without its ending.
    var name: String
    /// The ending: `jpg`.
    var ending: String
    var step: String
    var bucket: Bucket
    var version: ObjectVersion
}

/// Finds what was made of a version: by the keys that hooks give their files, so that nothing has to be kept of it.
struct StoredVariants: Sendable {
    let metadata: any MetadataStore

    /// Files of one version that are looked through.
    private static let countMax = 1_000
    /// Of all formats that variants are made in.
    static let endings = ["jpg", "png", "webp", "avif", "gif", "tiff"]

    /// The bucket of hooks without a place of their own.
    static func isPlace(_ bucket: BucketName) -> Bool { bucket.utf8.elementsEqual(OutputPlace.bucketDefault.utf8) }

    /// All files where hooks without a place of their own put them, in the order of their keys; `chosen` passes over the others
    /// before they are read.
    func files(
        of version: ObjectVersion, in bucket: Bucket, where chosen: (_ name: String, _ ending: String) -> Bool
    ) async throws -> [StoredVariant] {
        guard let name = BucketName(OutputPlace.bucketDefault.utf8),
            let place = try await metadata.bucket(named: name)
        else { return [] }
        var prefixes = [OutputKeys.prefix(of: version, in: bucket.name)]
        // A key that leaves no room for the longest step and file is hashed for those.
        if prefixes[0].count + 64 + 1 + 200 > ObjectKey.lengthMax {
            prefixes.append(OutputKeys.prefix(of: version, in: bucket.name) { Digest.sha256($0) })
        }
        var found: [StoredVariant] = []
        for prefix in prefixes {
            let page = try await metadata.listObjects(
                ListQuery(bucket: place.id, prefix: prefix, delimiter: nil, after: nil, limit: Self.countMax))
            for listed in page.objects {
                // The files of a key below this one have more parts.
                let parts = Ascii.split(listed.key.utf8[prefix.count...], at: Ascii.slash)
                guard parts.count == 2 else { continue }
                let file = String(ascii: parts[1])
                let name = String(file.prefix { $0 != "." })
                let ending = String(file.dropFirst(name.count + 1))
                guard chosen(name, ending) else { continue }
                guard let made = try await metadata.version(of: listed.key, in: place.id, version: nil),
                    !made.isDeleteMarker
                else { continue }
                found.append(
                    StoredVariant(
                        name: name, ending: ending, step: String(ascii: parts[0]), bucket: place, version: made))
            }
        }
        return found
    }

    /// The variants of a preset, of hooks with a place of their own too, as far as they are among `hooks` still.
    func variants(
        _ preset: String, of version: ObjectVersion, in bucket: Bucket, hooks: [Hook]
    ) async throws -> [StoredVariant] {
        var found = try await files(of: version, in: bucket) { name, _ in name == preset }
        let event = ObjectEvent(
            position: 0, moment: version.modified, bucket: bucket.id, key: version.key, versionID: version.versionID,
            sequence: version.sequence, size: version.size, etag: version.etag,
            draft: EventDraft(
                name: .createdPut, bucketName: bucket.name, principal: version.owner, customer: nil, revision: 0))
        for hook in hooks where hook.output != OutputPlace() {
            let name = hook.output.bucket ?? BucketName(OutputPlace.bucketDefault.utf8)
            guard let name, let place = try await metadata.bucket(named: name) else { continue }
            for step in hook.steps {
                guard case .variants(let names) = step.action, names.contains(preset) else { continue }
                for ending in Self.endings {
                    let keys = OutputKeys(hook.output, event: event, step: step.name)
                    guard let key = try? keys.keys(of: ["\(preset).\(ending)"], hashing: { Digest.sha256($0) }).first,
                        let made = try await metadata.version(of: key, in: place.id, version: nil),
                        !made.isDeleteMarker
                    else { continue }
                    found.append(
                        StoredVariant(name: preset, ending: ending, step: step.name, bucket: place, version: made))
                }
            }
        }
        return found
    }
}
