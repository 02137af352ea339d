import CZlib

/// The entries of a ZIP archive in memory (APPNOTE 6.3), for documents that are archives. Nothing is unpacked to disk.
struct ZipArchive {
    struct Entry: Equatable {
        let name: String
        let method: Int
        let packedBytes: Int
        let unpackedBytes: Int
        let headerOffset: Int
    }

    private let bytes: [UInt8]
    let entries: [Entry]

    static let entriesMax = 10_000

    /// What an archive claims to unpack to is held against the limit before anything is unpacked.
    init(_ bytes: [UInt8], unpackedBytesMax: Int) throws(MediaError) {
        self.bytes = bytes
        let damaged = MediaError(.undecodable, "the archive's directory is damaged")
        guard let end = Self.findEnd(bytes), let count = Self.number(bytes, end + 10, 2),
            let start = Self.number(bytes, end + 16, 4)
        else { throw damaged }
        guard count <= Self.entriesMax else {
            throw MediaError(.limit, "\(count) entries are more than \(Self.entriesMax)")
        }
        var entries: [Entry] = []
        var place = start
        var total = 0
        for _ in 0..<count {
            // Section 4.3.12.
            guard Self.number(bytes, place, 4) == 0x0201_4b50, let method = Self.number(bytes, place + 10, 2),
                let packed = Self.number(bytes, place + 20, 4), let unpacked = Self.number(bytes, place + 24, 4),
                let name = Self.number(bytes, place + 28, 2), let extra = Self.number(bytes, place + 30, 2),
                let comment = Self.number(bytes, place + 32, 2), let offset = Self.number(bytes, place + 42, 4),
                place + 46 + name <= bytes.count
            else { throw damaged }
            total += unpacked
            guard total <= unpackedBytesMax else {
                throw MediaError(.limit, "the archive unpacks to more than \(unpackedBytesMax) bytes")
            }
            let text = String(decoding: bytes[(place + 46)..<(place + 46 + name)], as: UTF8.self)
            entries.append(
                Entry(name: text, method: method, packedBytes: packed, unpackedBytes: unpacked, headerOffset: offset))
            place += 46 + name + extra + comment
        }
        self.entries = entries
    }

    /// Unpacks an entry piece by piece until it ends or `take` wants no more. More bytes than the directory says are an error.
    func unpack(_ name: String, take: (ArraySlice<UInt8>) -> Bool) throws(MediaError) {
        let damaged = MediaError(.undecodable, "\(name) in the archive is damaged")
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw MediaError(.undecodable, "the archive has no \(name)")
        }
        let head = entry.headerOffset
        guard Self.number(bytes, head, 4) == 0x0403_4b50, let nameLength = Self.number(bytes, head + 26, 2),
            let extraLength = Self.number(bytes, head + 28, 2)
        else { throw damaged }
        let start = head + 30 + nameLength + extraLength
        guard start <= bytes.count, entry.packedBytes <= bytes.count - start else { throw damaged }
        let packed = bytes[start..<(start + entry.packedBytes)]
        switch entry.method {
        case 0:
            guard packed.count == entry.unpackedBytes else { throw damaged }
            _ = take(packed)
        case 8: try inflate(packed, entry, take)
        default: throw MediaError(.unsupported, "\(name) is packed by method \(entry.method)")
        }
    }

    private func inflate(
        _ packed: ArraySlice<UInt8>, _ entry: Entry, _ take: (ArraySlice<UInt8>) -> Bool
    ) throws(MediaError) {
        var stream = unsafe z_stream()
        guard unsafe czlib_inflate_raw(&stream) == Z_OK else { throw MediaError(.failed, "no memory to unpack") }
        defer { unsafe inflateEnd(&stream) }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let capacity = piece.count
        var total = 0
        var input = Array(packed)
        // SAFETY: zlib reads and writes within the buffers and counts that are set here, which outlive the loop; the input is
        // not written to, although the type says so.
        let failure: MediaError? = unsafe input.withUnsafeMutableBufferPointer { lent in
            unsafe stream.next_in = lent.baseAddress
            unsafe stream.avail_in = UInt32(clamping: lent.count)
            while true {
                let status = unsafe piece.withUnsafeMutableBufferPointer { buffer in
                    unsafe stream.next_out = buffer.baseAddress
                    unsafe stream.avail_out = UInt32(clamping: capacity)
                    return unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                let made = capacity - Int(unsafe stream.avail_out)
                total += made
                if total > entry.unpackedBytes {
                    return MediaError(.limit, "\(entry.name) unpacks to more than the archive says")
                }
                if made > 0, !take(piece[..<made]) { return nil }
                if status == Z_STREAM_END { return nil }
                let left = unsafe stream.avail_in
                guard status == Z_OK, made > 0 || left > 0 else {
                    return MediaError(.undecodable, "\(entry.name) in the archive is damaged")
                }
            }
        }
        if let failure { throw failure }
    }

    /// The end record lies before a comment of at most 65,535 bytes.
    private static func findEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 22 else { return nil }
        var place = bytes.count - 22
        let first = max(0, bytes.count - 22 - 65_535)
        while place >= first {
            if number(bytes, place, 4) == 0x0605_4b50 { return place }
            place -= 1
        }
        return nil
    }

    /// Little-endian; nil outside the archive.
    private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int? {
        guard place >= 0, place <= bytes.count - count else { return nil }
        return bytes[place..<(place + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
