import CMongo

/// A BSON document that is being built or read. Owned by one task at a time.
@safe public final class BSONDocument {
    private let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    public convenience init() {
        // SAFETY: the new document is owned by this object alone.
        unsafe self.init(owning: bson_new())
    }

    deinit {
        // SAFETY: owned by this object alone.
        unsafe bson_destroy(pointer)
    }

    /// Takes a copy of `bytes`, after a look at every element's bounds.
    public static func decode(_ bytes: [UInt8]) throws(MongoError) -> BSONDocument {
        // SAFETY: the bytes are lent for the call, which copies them; null means that the lengths disagree.
        guard let pointer = unsafe bson_new_from_data(bytes, bytes.count) else {
            throw .invalidDocument("its length is not that of its bytes")
        }
        let document = unsafe BSONDocument(owning: pointer)
        var error = bson_error_t()
        guard unsafe bson_validate_with_error(pointer, BSON_VALIDATE_NONE, &error) else {
            throw .invalidDocument(error.text)
        }
        return document
    }

    /// The document's own bytes, copied.
    public var encoded: [UInt8] {
        // SAFETY: that many bytes belong to the document, which lives for the call.
        unsafe [UInt8](UnsafeBufferPointer(start: bson_get_data(pointer), count: Int(cmongo_length(pointer))))
    }

    public func append(_ key: String, _ value: Int64) throws(MongoError) {
        // SAFETY: the key is lent for the call and its length is said.
        guard unsafe bson_append_int64(pointer, key, Int32(clamping: key.utf8.count), value) else {
            throw .documentTooLarge
        }
    }

    public func append(_ key: String, _ value: String) throws(MongoError) {
        let count = Int32(clamping: value.utf8.count)
        // SAFETY: key and value are lent for the call and their lengths are said.
        guard unsafe bson_append_utf8(pointer, key, Int32(clamping: key.utf8.count), value, count) else {
            throw .documentTooLarge
        }
    }

    /// Appends as generic binary data.
    public func append(_ key: String, bytes: [UInt8]) throws(MongoError) {
        let count = UInt32(clamping: bytes.count)
        // SAFETY: key and bytes are lent for the call and their lengths are said.
        guard
            unsafe bson_append_binary(
                pointer, key, Int32(clamping: key.utf8.count), BSON_SUBTYPE_BINARY, bytes, count)
        else { throw .documentTooLarge }
    }

    /// Nil where there is no such key or its value is no integer.
    public func integer(_ key: String) -> Int64? {
        var value: Int64 = 0
        // SAFETY: key and value are lent for the call.
        return unsafe cmongo_find_integer(pointer, key, &value) ? value : nil
    }

    /// Nil where there is no such key or its value is no text, or no UTF-8.
    public func text(_ key: String) -> String? {
        var count: UInt32 = 0
        // SAFETY: `count` bytes of the document follow the pointer; the document lives for the call.
        guard let start = unsafe cmongo_find_text(pointer, key, &count) else { return nil }
        return unsafe String(validating: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// Nil where there is no such key or its value is not binary.
    public func bytes(_ key: String) -> [UInt8]? {
        var count: UInt32 = 0
        // SAFETY: `count` bytes of the document follow the pointer; the document lives for the call.
        guard let start = unsafe cmongo_find_bytes(pointer, key, &count) else { return nil }
        return unsafe [UInt8](UnsafeBufferPointer(start: start, count: Int(count)))
    }
}

extension bson_error_t {
    /// The message, which libbson ends with a NUL inside its fixed array.
    var text: String {
        unsafe withUnsafeBytes(of: message) { bytes in
            // SAFETY: read within the closure only.
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
