/// What libmongoc or libbson said no to.
public enum MongoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A connection string that cannot be used; the text says why, in libmongoc's words.
    case invalidURI(String)
    /// Bytes or text that are no BSON document.
    case invalidDocument(String)
    /// The document would exceed BSON's limit of 2 GiB, or memory ran out.
    case documentTooLarge

    public var description: String {
        switch self {
        case .invalidURI(let reason): "not a MongoDB connection string: \(reason)"
        case .invalidDocument(let reason): "not a BSON document: \(reason)"
        case .documentTooLarge: "the BSON document is too large"
        }
    }
}
