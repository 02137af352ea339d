import Bytes
import Digests
import Hooks
import JSON
import Metadata

/// What a variant says of itself: a digest of all that it was made by. One whose preset, or whose picture's focal point, is another
/// by now is told by it.
enum VariantLabel {
    /// The name of its user metadata.
    static let fieldName: StaticString = "ogw-variant"

    static func value(of preset: Preset, focus: FocalPoint?) -> [UInt8] {
        Hex.encode(Digest.sha256(MediaOptions.variant(preset, focus: focus).text).prefix(16))
    }

    /// Nil for what is no variant.
    static func value(in attributes: ObjectAttributes) -> [UInt8]? {
        attributes.userMetadata.first { Ascii.equal($0.name[...], fieldName) }?.value
    }

    /// Of the files that a job made, by their presets. `focus` is what its worker was told: where that is not known, what depends on
    /// it has no label.
    static func labels(for work: JobWork, focus: NotedFocus?) -> [String: UserMetadata] {
        guard case .variants(let names) = work.step.action else { return [:] }
        var labels: [String: UserMetadata] = [:]
        for name in names {
            guard let preset = work.presets[name], focus != nil || !MediaOptions.usesFocus(preset) else { continue }
            labels[name] = UserMetadata(
                name: Array(fieldName.description.utf8), value: value(of: preset, focus: focus?.point))
        }
        return labels
    }
}
