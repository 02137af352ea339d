/// What a fuzzer asks of the trailers of files, whose types are nobody else's.
package enum TrailerRecords {
    /// Whether `bytes` is refused as the trailer of content of `size` bytes, or written again as it was read, like the record in
    /// it.
    package static func areReadAsWritten(_ bytes: [UInt8], size: UInt64) -> Bool {
        guard let trailer = BlobTrailer(bytes.span, size: size) else { return true }
        guard trailer.size == size, BlobTrailer(trailer.bytes.span, size: size) == trailer else { return false }
        guard let record = BlobRecord(trailer.record.span) else { return true }
        guard let again = BlobRecord(record.bytes.span) else { return false }
        return again.bytes == record.bytes
    }
}
