/// How far a migration is, as it is kept beside what it has written.
struct MigrationNote: Sendable, Equatable {
    /// Of the content of the source when the migration began. Another one means that what was written is of no use.
    var identity: [UInt8]
    /// All before it is written.
    var place = MigrationPlace()
    /// Versions that are written.
    var versions: UInt64 = 0
    /// The target was found to hold what the source does; what is left is to take it into use.
    var isVerified = false

    init(identity: [UInt8]) { self.identity = identity }

    private static let form: UInt8 = 1

    var encoded: [UInt8] {
        var out = RecordWriter()
        out.put(Self.form)
        out.put(identity)
        out.put(place.stage.rawValue)
        out.put(place.bucket)
        out.put(place.key)
        out.put(place.sequence)
        out.put(place.upload)
        out.put(place.garbage)
        out.put(versions)
        out.put(isVerified)
        return out.bytes
    }

    init(_ record: [UInt8]) throws(MetadataError) {
        var reader = RecordReader(record)
        guard try reader.byte() == Self.form else { throw .broken("migration: a note of another program") }
        identity = try reader.field()
        guard let stage = MigrationPlace.Stage(rawValue: try reader.byte()) else {
            throw .broken("migration: an unknown stage")
        }
        place.stage = stage
        place.bucket = try reader.field()
        place.key = try reader.field()
        place.sequence = try reader.signed()
        place.upload = try reader.field()
        place.garbage = try reader.number()
        versions = try reader.number()
        isVerified = try reader.flag()
        try reader.end()
    }
}
