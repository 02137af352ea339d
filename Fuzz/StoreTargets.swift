import Buckets
import Bytes
import Digests
import Files
import Metadata
import RedoLog
import SimulatedDisk

/// A log that was damaged is refused or read up to the damage: what is read are the first changes that were written, whole, in
/// order. Where the damage was made to check, it is only read without harm.
///
/// The input says what is written and then what is changed: groups, and edits of three bytes.
func fuzzLog(_ input: [UInt8]) {
    var input = input.makeIterator()
    func next() -> Int? { input.next().map { Int($0) } }
    guard let groupCount = next() else { return }
    let disk = SimulatedFileSystem(seed: 1)
    let storeID = [UInt8](repeating: 7, count: 16)
    do {
        _ = try disk.makeDirectory("/seg")
        let files = SegmentFiles(disk: disk, directory: "/seg", storeID: storeID)
        var configuration = LogConfiguration()
        (configuration.reserveBytes, configuration.zeroedBytes, configuration.segmentSizeMax) = (0, 0, 4096)
        let log = try LogWriter.begin(after: .origin, files: files, configuration: configuration)
        var written: [[UInt8]] = []
        for _ in 0..<groupCount % 4 {
            guard let recordCount = next() else { break }
            var group = try log.newGroup()
            for _ in 0..<recordCount % 4 {
                guard let length = next(), let payloadLength = next() else { break }
                let body = [UInt8](repeating: UInt8(truncatingIfNeeded: written.count), count: length)
                let payload = payloadLength == 0 ? nil : [UInt8](repeating: 0xA5, count: payloadLength * 8)
                let place = payload.map { group.placeOfPayload($0, bodyLength: body.count) }
                try group.append(body: body, payload: payload, at: place)
                written.append(body)
            }
            try log.commit(group)
        }
        let isMadeToCheck = try damage(disk, storeID: storeID, next)
        var reader = try LogReader(files: files, from: .origin)
        var read: [[UInt8]] = []
        while let changes = try reader.next() {
            for change in changes {
                read.append(change.body)
                if let place = change.payload { _ = try files.payload(at: place) }
            }
        }
        if !isMadeToCheck { require(written.starts(with: read), "changes that were not written") }
    } catch is LogError {
    } catch {
        require(false, "\(error)")
    }
}

/// Changes bytes of segments as `next` says. True where check values were made to fit.
private func damage(_ disk: SimulatedFileSystem, storeID: [UInt8], _ next: () -> Int?) throws(SystemError) -> Bool {
    var isMadeToCheck = false
    let names = try disk.names(in: "/seg").sorted()
    while let low = next(), let high = next(), let value = next() {
        let name = names[value % names.count]
        let file = try disk.open("/seg/\(name)", .update)
        let size = Int(clamping: try file.size())
        var bytes = try file.read(at: 0, count: size)
        let offset = (high & 0x7F) << 8 | low
        guard offset < bytes.count else { continue }
        bytes[offset] = UInt8(truncatingIfNeeded: value)
        if high >= 0x80 {
            isMadeToCheck = true
            makeFit(&bytes, around: offset, storeID: storeID)
        }
        try file.write(bytes.span, at: 0)
    }
    return isMadeToCheck
}

/// Recomputes the check value of the segment's header or of the record's head in which `offset` lies. FORMATS.md draws both.
private func makeFit(_ bytes: inout [UInt8], around offset: Int, storeID: [UInt8]) {
    if offset < 60, bytes.count >= 64 {
        store(CRC32C.of([UInt8](bytes[..<60])), &bytes, at: 60)
        return
    }
    guard bytes.count >= 32 else { return }
    let seed = CRC32C.of(storeID + bytes[24..<32])
    for start in stride(from: offset, through: max(0, offset - 35), by: -1)
    where start + 40 <= bytes.count && bytes[start..<start + 4].elementsEqual("OGWr".utf8) {
        var crc = CRC32C(seed)
        crc.update(bytes.span.extracting(start..<start + 36))
        return store(crc.value, &bytes, at: start + 36)
    }
}

private func store(_ value: UInt32, _ bytes: inout [UInt8], at offset: Int) {
    for place in 0..<4 { bytes[offset + place] = UInt8(truncatingIfNeeded: value >> UInt32(8 * place)) }
}

/// A change that can be read is written again in the same meaning.
func fuzzChange(_ input: [UInt8]) {
    require(ChangeRecords.areReadAsWritten(input), "a change is written in another meaning than it was read")
}

/// A trailer that can be read describes content of the size asked for, and is written again as it was read; so is its record.
func fuzzTrailer(_ input: [UInt8]) {
    guard input.count > 1 else { return }
    // Up to four blocks, the last one short or not.
    let size = UInt64(input[0] & 3) * 65_536 + UInt64(input[0] >> 2)
    var bytes = [UInt8](input[1...])
    require(TrailerRecords.areReadAsWritten(bytes, size: size), "a trailer is written otherwise than it was read")
    // The footer, and the table and record before it, are made to check, so that what lies behind the check values is reached.
    let footer = bytes.count - 40
    guard footer >= 0 else { return }
    let tableLength = min(footer, Int((size + 65_535) / 65_536) * 4)
    for (offset, byte) in [UInt8]("OGWb".utf8).enumerated() { bytes[footer + offset] = byte }
    store(1, &bytes, at: footer + 4)
    store(UInt32(size), &bytes, at: footer + 8)
    store(0, &bytes, at: footer + 12)
    store(65_536, &bytes, at: footer + 16)
    store(UInt32(footer - tableLength), &bytes, at: footer + 20)
    store(CRC32C.of([UInt8](bytes[..<tableLength])), &bytes, at: footer + 24)
    store(CRC32C.of([UInt8](bytes[tableLength..<footer])), &bytes, at: footer + 28)
    store(CRC32C.of([UInt8](bytes[footer..<footer + 36])), &bytes, at: footer + 36)
    require(TrailerRecords.areReadAsWritten(bytes, size: size), "a trailer is written otherwise than it was read")
}
