import Files
import Glibc

/// The calls on open files.
extension Volume {
    /// Writes what there is room for, and throws ENOSPC where that is not all.
    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>, to file: Int, at offset: Int) throws(SystemError) {
        let (end, overflow) = offset.addingReportingOverflow(bytes.count)
        if overflow || end > FileContent.sizeMax { throw DiskCall.write.error(EFBIG) }
        let allocated = files[file].content.allocated
        if faults.capacity != nil, FileContent.roundedUp(end) - allocated > free {
            let room = allocated + free / FileContent.sector * FileContent.sector - offset
            if room > 0 { unsafe put(bytes.extracting(..<room), to: file, at: offset) }
            throw DiskCall.write.error(ENOSPC)
        }
        unsafe put(bytes, to: file, at: offset)
    }

    private mutating func put(_ bytes: UnsafeBufferPointer<UInt8>, to file: Int, at offset: Int) {
        let before = files[file].content.allocated
        unsafe files[file].content.write(bytes, at: offset, time: time)
        used += files[file].content.allocated - before
    }

    /// What a write that fails has written: some of its first sectors.
    mutating func writePartly(_ bytes: UnsafeBufferPointer<UInt8>, to file: Int, at offset: Int, _ failure: Failure) {
        if offset > FileContent.sizeMax { return }
        let first = offset / FileContent.sector
        let sectors = (offset + max(0, bytes.count - 1)) / FileContent.sector - first + 1
        var written = random.below(sectors + 1)
        if case .fault(let fault) = failure { written = fault.sectorsWritten ?? written }
        let count = min(bytes.count, (first + written) * FileContent.sector - offset)
        if count > 0 { try? unsafe write(bytes.extracting(..<count), to: file, at: offset) }
    }

    mutating func truncate(_ file: Int, to size: Int) throws(SystemError) {
        if size > 1 << 44 { throw DiskCall.truncate.error(EFBIG) }
        let before = files[file].content.allocated
        files[file].content.truncate(to: size, time: time)
        used += files[file].content.allocated - before
    }

    mutating func reserve(_ file: Int, upTo end: Int) throws(SystemError) {
        if end > FileContent.sizeMax { throw DiskCall.reserve.error(EFBIG) }
        let missing = FileContent.roundedUp(end) - files[file].content.allocated
        if missing <= 0 { return }
        if missing > free { throw DiskCall.reserve.error(ENOSPC) }
        files[file].content.reservedEnd = FileContent.roundedUp(end)
        used += missing
    }

    mutating func syncData(_ node: Node) {
        if faults.ignoresSyncData { return }
        switch node {
        case .file(let number): files[number].content.sync()
        case .directory(let number): syncDirectory(number)
        }
    }

    /// A sync or writeback that failed.
    mutating func failSync(_ node: Node, _ failure: Failure) {
        guard case .fault = failure else { return }
        switch node {
        case .directory(let number): failSyncDirectory(number)
        case .file(let number):
            guard let oldest = files[number].content.oldestTime else { return }
            let survival = Survival.draw(&random, moments: oldest...time)
            files[number].content.failSync(survival, &random)
        }
    }
}
