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

    /// Whom the text logs in, without the password.
    public var user: String? {
        // SAFETY: as above.
        unsafe mongoc_uri_get_username(pointer).map { unsafe String(cString: $0) }
    }

    /// The value of `replicaSet`.
    public var replicaSet: String? {
        // SAFETY: as above.
        unsafe mongoc_uri_get_replica_set(pointer).map { unsafe String(cString: $0) }
    }

    /// `host:port` of each server that the text names.
    public var hosts: [String] {
        var hosts: [String] = []
        // SAFETY: the list belongs to the URI, which lives for the loop.
        var entry = unsafe mongoc_uri_get_hosts(pointer)
        while let host = unsafe entry {
            // SAFETY: the library ends the name with a NUL inside its fixed array.
            let name = unsafe host.pointee.host_and_port
            let text = unsafe withUnsafeBytes(of: name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            hosts.append(text)
            unsafe entry = UnsafePointer(host.pointee.next)
        }
        return hosts
    }

    public var usesTLS: Bool {
        // SAFETY: reads the parsed form.
        unsafe mongoc_uri_get_tls(pointer)
    }

    /// The options that the store needs, where the text does not set them. Times are in milliseconds.
    ///
    /// Writes are not repeated by the library: the store resolves unknown outcomes itself, by the write's own id, and a repeat by
    /// the library would only do so once.
    public static func parse(
        _ text: String, serverSelection_ms: Int32, socket_ms: Int32
    ) throws(MongoError) -> MongoURI {
        let uri = try parse(text)
        // SAFETY: nobody else has the URI yet; names and values are lent for the calls.
        unsafe mongoc_uri_set_option_as_bool(uri.pointer, MONGOC_URI_RETRYWRITES, false)
        unsafe mongoc_uri_set_option_as_bool(uri.pointer, MONGOC_URI_RETRYREADS, false)
        for (name, value) in [
            (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, serverSelection_ms), (MONGOC_URI_SOCKETTIMEOUTMS, socket_ms),
            (MONGOC_URI_CONNECTTIMEOUTMS, 2_000), (MONGOC_URI_HEARTBEATFREQUENCYMS, 2_000),
        ] where unsafe !mongoc_uri_has_option(uri.pointer, name) {
            unsafe mongoc_uri_set_option_as_int32(uri.pointer, name, value)
        }
        return uri
    }

    /// Lends the parsed form for the time of the call.
    func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        // SAFETY: the URI lives for the call.
        unsafe body(pointer)
    }
}
