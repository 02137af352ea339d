import CMongo

/// A parsed `mongodb://` or `mongodb+srv://` connection string.
// @unchecked: nothing changes the parsed form after init.
@safe public final class MongoURI: @unchecked Sendable {
    private let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe mongoc_uri_destroy(pointer)
    }

    /// Reads the text only: no name is resolved but for `mongodb+srv`, whose records are looked up by the client later.
    public static func parse(_ text: String) throws(MongoError) -> MongoURI {
        MongoLibrary.start()
        // A NUL would end the text early, and what follows it would silently not count.
        guard !text.utf8.contains(0) else { throw .invalidURI("it contains a NUL") }
        var error = bson_error_t()
        // SAFETY: text and error are lent for the call; the result is owned by the object made from it.
        guard let pointer = unsafe mongoc_uri_new_with_error(text, &error) else {
            throw .invalidURI(error.text)
        }
        return unsafe MongoURI(owning: pointer)
    }

    /// The database that the path names.
    public var database: String? {
        // SAFETY: the string belongs to the URI, which lives for the call.
        unsafe mongoc_uri_get_database(pointer).map { unsafe String(cString: $0) }
    }

    /// The value of `replicaSet`.
    public var replicaSet: String? {
        // SAFETY: as above.
        unsafe mongoc_uri_get_replica_set(pointer).map { unsafe String(cString: $0) }
    }

    public var usesTLS: Bool {
        // SAFETY: reads the parsed form.
        unsafe mongoc_uri_get_tls(pointer)
    }
}
