public import Metadata

/// Why a change of users did not happen. The texts are for the person who asked.
public enum UserError: Error, Sendable, Equatable {
    /// `field` is `name`, `access_key`, `secret_key` or `customer`.
    case invalid(field: String, wanted: String)
    case store(MetadataError)
}
