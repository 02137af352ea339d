import Bytes
import HTTPServer
import Hooks
import Metadata

/// The name by which a variant is asked for: that of a preset, and where it has several formats, `.` and the ending of one.
struct VariantName: Sendable, Equatable {
    var preset: String
    /// Nil for the first format.
    var ending: String?

    /// Nil for what no preset can be called.
    init?(_ text: [UInt8]) {
        let parts = Ascii.split(text[...], at: Ascii.dot).map { String(ascii: $0) }
        guard parts.count <= 2, HookName.isName(parts[0]) else { return nil }
        preset = parts[0]
        ending = parts.count == 2 ? parts[1] : nil
    }
}

/// `?variant=NAME` of a read.
extension Services {
    /// Larger pictures are made into variants by hooks only, where nobody waits for it.
    private static let sourceSizeMax: UInt64 = 512 << 20

    /// Finds the variant, or has it made where the bucket allows that. Rights are those on the source, which the caller has proven.
    /// Throws what a read of the source throws, NoSuchVariant, VariantNotPossible, InvalidRequest, SlowDown, ServiceUnavailable.
    func variant(_ text: [UInt8], of input: ObjectReadInput, as caller: Caller) async throws -> StoredVariant {
        guard let jobs else { throw S3Error(.notImplemented, "Variants need the embedded store.") }
        let bucket = try await bucket(input.bucket)
        let source = try await existingVersion(of: input.key, in: bucket, version: input.version)
        if StoredVariants.isPlace(bucket.name) || VariantLabel.value(in: source.attributes) != nil {
            throw S3Error(.invalidRequest, "There are no variants of what is one itself.")
        }
        let rules = try await jobs.hooks.rules(of: bucket.id)
        guard let name = VariantName(text), let rules, let preset = rules.configuration.presets[name.preset] else {
            throw Self.noVariant(text, "The bucket has no preset of this name.")
        }
        if let ending = name.ending, !StoredVariants.endings.contains(ending) {
            throw Self.noVariant(text, "No preset makes files of this format.")
        }
        let focus = try await metadata.focalPoint(of: source, in: bucket.id)
        let label = VariantLabel.value(of: preset, focus: focus)
        let stored = try await stored(name.preset, preset, label, of: source, in: bucket, rules)
        if let best = stored.first, VariantLabel.value(in: best.version.attributes) == label {
            return try Self.chosen(name, among: stored, text)
        }
        guard rules.configuration.onDemand.contains(name.preset) else {
            // What a hook made is what there is, by whichever preset of that name.
            if !stored.isEmpty { return try Self.chosen(name, among: stored, text) }
            throw Self.noVariant(text, "This variant was not made, and the bucket makes none on demand.")
        }
        guard source.size > 0, source.size <= Self.sourceSizeMax else {
            throw Self.notPossible(
                "an object of \(source.size) bytes is no picture that variants are made of on demand")
        }
        let wish = VariantWish(
            preset: name.preset, version: source, bucket: bucket, revision: rules.revision, reader: caller.name)
        switch try await jobs.makeVariant(wish, wait: configuration.variantWait) {
        case .made:
            let made = try await self.stored(name.preset, preset, label, of: source, in: bucket, rules)
            return try Self.chosen(name, among: made, text)
        case .failed(let reason): throw Self.notPossible(reason)
        case .underWay: throw Self.unavailable("The variant is being made; try again.", after: "2")
        case .tooMany: throw S3Error(.slowDown, "Too many variants are being made; try again later.")
        case .noWorkers: throw Self.unavailable("No worker is there that could make the variant.", after: "30")
        }
    }

    /// The best first: as the preset is now before what it was, what a hook made before what was made on demand, the preset's formats
    /// in their order, the newest.
    private func stored(
        _ name: String, _ preset: Preset, _ label: [UInt8], of source: ObjectVersion, in bucket: Bucket,
        _ rules: HookRules
    ) async throws -> [StoredVariant] {
        let endings = preset.formats.map { $0 == .jpeg ? "jpg" : $0.rawValue }
        let found = try await StoredVariants(metadata: metadata)
            .variants(name, of: source, in: bucket, hooks: rules.configuration.hooks)
        func order(_ one: StoredVariant) -> (Int, Int, Int, Int64) {
            (
                VariantLabel.value(in: one.version.attributes) == label ? 0 : 1,
                one.step == BuiltInHook.variantStep ? 1 : 0, endings.firstIndex(of: one.ending) ?? endings.count,
                -one.version.modified.milliseconds
            )
        }
        return found.sorted { order($0) < order($1) }
    }

    /// One is not made anew for a format that it does not have.
    private static func chosen(
        _ name: VariantName, among stored: [StoredVariant], _ text: [UInt8]
    ) throws(S3Error) -> StoredVariant {
        let found = name.ending == nil ? stored.first : stored.first { $0.ending == name.ending }
        guard let found else { throw noVariant(text, "The preset makes no file of this format.") }
        return found
    }

    private static func noVariant(_ text: [UInt8], _ reason: String) -> S3Error {
        S3Error(.noSuchVariant, "The specified variant does not exist. \(reason)").adding("Variant", text)
    }

    private static func notPossible(_ reason: String) -> S3Error {
        S3Error(.variantNotPossible, "The variant cannot be made: \(reason.prefix(300))")
    }

    private static func unavailable(_ message: String, after seconds: String) -> S3Error {
        var error = S3Error(.serviceUnavailable, message)
        error.headers.add("retry-after", seconds.utf8)
        return error
    }
}
