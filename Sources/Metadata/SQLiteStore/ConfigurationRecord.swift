extension Records {
    /// The count of documents, then kind and bytes of each, in order of kind.
    static func encode(_ configuration: BucketConfiguration) -> [UInt8] {
        var out = RecordWriter()
        let all = configuration.all
        out.put(UInt64(all.count))
        for (kind, document) in all {
            out.put(kind.rawValue)
            out.put(document)
        }
        return out.bytes
    }

    static func configuration(_ record: [UInt8]) throws(MetadataError) -> BucketConfiguration {
        var reader = RecordReader(record)
        var configuration = BucketConfiguration()
        for _ in 0..<(try reader.count()) {
            guard let kind = BucketConfiguration.Kind(rawValue: try reader.byte()) else {
                throw .broken("record: an unknown kind of a bucket's documents")
            }
            configuration[kind] = try reader.field()
        }
        try reader.end()
        return configuration
    }
}
