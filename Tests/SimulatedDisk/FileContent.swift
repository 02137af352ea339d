/// The content of one file: what the running system sees, and how to get back from there to what is durable.
///
/// A write changes the bytes at once and keeps the former content of each sector. A sync forgets these; a power cut goes
/// back through them, newest first. So a sector becomes one of the contents that it had since the last sync, as a whole.
struct FileContent: Sendable {
    static let sector = 512
    /// Of written bytes. A simulation that needs more has a mistake in an offset.
    static let sizeMax = 1 << 31

    /// One write of one sector.
    struct Undo: Sendable {
        var sector: Int
        /// The number of `resizes` at that time, the own one of a truncation included.
        var resizes: Int32
        /// Where the former content lies in `images`, in sectors; -1 for zeros.
        var image: Int32
        var isShrink: Bool
        var time: Int
    }

    struct Resize: Sendable {
        var size: Int
        var isShrink: Bool
        var time: Int
    }

    /// Whole sectors. Zeros follow up to the size; bytes beyond the size are zeros too.
    private(set) var bytes: [UInt8] = []
    private(set) var size = 0
    /// Room on the disk, in bytes, may reach beyond the size.
    var reservedEnd = 0

    var durableSize = 0
    var resizes: [Resize] = []
    var undos: [Undo] = []
    var images: [UInt8] = []
    /// What is durable of sectors that a failed sync left in memory as if they were clean.
    var lost: [Int: [UInt8]] = [:]

    var isPending: Bool { !undos.isEmpty || !resizes.isEmpty || !lost.isEmpty || durableSize != size }
    /// The call that made the oldest change that is not durable.
    var oldestTime: Int? { [undos.first?.time, resizes.first?.time].compactMap { $0 }.min() }
    /// Room on the disk, in bytes.
    var allocated: Int { max(bytes.count, reservedEnd) }

    static func roundedUp(_ count: Int) -> Int { (count + sector - 1) / sector * sector }

    // MARK: Reading

    func readable(at offset: Int, count: Int) -> Int { max(0, min(count, size - offset)) }

    func read(at offset: Int, count: Int) -> [UInt8] {
        let count = readable(at: offset, count: count)
        if count == 0 { return [] }
        let end = offset + count
        if end <= bytes.count { return [UInt8](bytes[offset..<end]) }
        var result = offset < bytes.count ? [UInt8](bytes[offset...]) : []
        result.append(contentsOf: repeatElement(0, count: count - result.count))
        return result
    }

    /// Fills the start of `buffer`.
    func read(at offset: Int, into buffer: inout [UInt8]) -> Int {
        let count = readable(at: offset, count: buffer.count)
        if count == 0 { return 0 }
        let known = max(0, min(count, bytes.count - offset))
        // SAFETY: offset + known is at most the count of bytes, and known + the rest at most that of the buffer.
        unsafe buffer.withUnsafeMutableBufferPointer { target in
            if known > 0 {
                unsafe bytes.withUnsafeBufferPointer { source in
                    let source = source.extracting(offset..<offset + known)
                    _ = unsafe target.extracting(..<known).update(fromContentsOf: source)
                }
            }
            if known < count { unsafe target.extracting(known..<count).update(repeating: 0) }
        }
        return count
    }

    // MARK: Changes

    mutating func write(_ source: UnsafeBufferPointer<UInt8>, at offset: Int, time: Int) {
        if source.isEmpty { return }
        let end = offset + source.count
        for sector in offset / Self.sector...(end - 1) / Self.sector { keep(sector, time: time) }
        grow(to: end)
        // SAFETY: the bytes reach to `end` at least.
        unsafe bytes.withUnsafeMutableBufferPointer { target in
            _ = unsafe target.extracting(offset..<end).update(fromContentsOf: source)
        }
        if end > size {
            resizes.append(Resize(size: end, isShrink: false, time: time))
            size = end
        }
    }

    mutating func truncate(to newSize: Int, time: Int) {
        reservedEnd = min(reservedEnd, Self.roundedUp(newSize))
        if newSize == size { return }
        let isShrink = newSize < size
        resizes.append(Resize(size: newSize, isShrink: isShrink, time: time))
        size = newSize
        if isShrink, newSize < bytes.count {
            for sector in newSize / Self.sector..<bytes.count / Self.sector { keep(sector, time: time, isShrink: true) }
            trim()
        }
    }

    /// Remembers what a sector holds before it changes.
    private mutating func keep(_ sector: Int, time: Int, isShrink: Bool = false) {
        var image: Int32 = -1
        let start = sector * Self.sector
        if start < bytes.count {
            image = Int32(truncatingIfNeeded: images.count / Self.sector)
            images.append(contentsOf: bytes[start..<start + Self.sector])
        }
        undos.append(
            Undo(
                sector: sector, resizes: Int32(truncatingIfNeeded: resizes.count), image: image, isShrink: isShrink,
                time: time))
    }

    private mutating func grow(to end: Int) {
        let missing = Self.roundedUp(end) - bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// Drops what lies beyond the size.
    private mutating func trim() {
        let end = Self.roundedUp(size)
        if end < bytes.count { bytes.removeLast(bytes.count - end) }
        if size < bytes.count {
            for place in size..<bytes.count { bytes[place] = 0 }
        }
    }

    // MARK: Sectors

    func content(of sector: Int) -> [UInt8] {
        let start = sector * Self.sector
        if start < bytes.count { return [UInt8](bytes[start..<start + Self.sector]) }
        return [UInt8](repeating: 0, count: Self.sector)
    }

    mutating func set(_ sector: Int, to content: ArraySlice<UInt8>) {
        let start = sector * Self.sector
        grow(to: start + Self.sector)
        bytes.replaceSubrange(start..<start + Self.sector, with: content)
    }

    mutating func undo(_ undo: Undo) {
        let start = undo.sector * Self.sector
        if undo.image >= 0 {
            let image = Int(undo.image) * Self.sector
            set(undo.sector, to: images[image..<image + Self.sector])
        } else if start < bytes.count {
            for place in start..<start + Self.sector { bytes[place] = 0 }
        }
    }

    mutating func resize(to newSize: Int) {
        size = newSize
        trim()
    }

    mutating func flip(bit: Int, at offset: Int) { bytes[offset] ^= 1 << UInt8(bit) }

    mutating func forgetChanges() {
        undos.removeAll(keepingCapacity: undos.count < 1024)
        images.removeAll(keepingCapacity: images.count < 1 << 16)
        resizes.removeAll(keepingCapacity: true)
    }
}
