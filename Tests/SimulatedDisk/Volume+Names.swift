import Files
import Glibc

/// The calls that read and change names, with the errors that Linux has for them.
extension Volume {
    mutating func open(_ path: String, _ mode: DiskOpenMode) throws(SystemError) -> Node {
        let (directory, name) = try place(of: path, .open)
        switch (try find(name, in: directory, path, .open), mode) {
        case (_?, .createNew): throw DiskCall.open.error(EEXIST, path: path)
        case (.directory?, .update), (.directory?, .create): throw DiskCall.open.error(EISDIR, path: path)
        case (nil, .read), (nil, .update): throw DiskCall.open.error(ENOENT, path: path)
        case (let node?, _):
            adjust(node, opens: 1)
            return node
        case (nil, _):
            guard let name else { throw DiskCall.open.error(EISDIR, path: path) }
            let node = Node.file(makeFile())
            adjust(node, opens: 1)
            change(directory, name, to: node)
            return node
        }
    }

    mutating func unnamed(in path: String) throws(SystemError) -> Node {
        _ = try folder(at: path, .unnamed)
        let number = makeFile()
        files[number].isUnnamed = true
        adjust(.file(number), opens: 1)
        return .file(number)
    }

    /// `concerned` is the path that errors name.
    mutating func link(
        _ node: Node, as path: String, _ call: DiskCall, concerned: String
    ) throws(SystemError) {
        let (directory, name) = try place(of: path, call, concerned: concerned)
        let former = try find(name, in: directory, concerned, call)
        guard let name, former == nil else { throw call.error(EEXIST, path: concerned) }
        guard case .file(let number) = node else { throw call.error(EPERM, path: concerned) }
        if files[number].links == 0, !files[number].isUnnamed { throw call.error(ENOENT, path: concerned) }
        if files[number].links >= faults.linksMax { throw call.error(EMLINK, path: concerned) }
        files[number].isUnnamed = false
        change(directory, name, to: node)
    }

    mutating func link(existing: String, as new: String) throws(SystemError) {
        guard let node = try node(at: existing, .link) else { throw DiskCall.link.error(ENOENT, path: existing) }
        try link(node, as: new, .link, concerned: existing)
    }

    mutating func rename(_ old: String, to new: String) throws(SystemError) {
        func error(_ errno: Int32) -> SystemError { DiskCall.rename.error(errno, path: old) }
        let (source, sourceName) = try place(of: old, .rename)
        let (target, targetName) = try place(of: new, .rename, concerned: old)
        guard let sourceName, let targetName else { throw error(EBUSY) }
        guard let node = try find(sourceName, in: source, old, .rename) else { throw error(ENOENT) }
        let former = try find(targetName, in: target, old, .rename)
        if case .directory(let number) = node, try isWithin(number, new) { throw error(EINVAL) }
        if former == node { return }
        switch (node, former) {
        case (.directory, .file?): throw error(ENOTDIR)
        case (.file, .directory(let number)?):
            throw error(try isWithin(number, old) ? ENOTEMPTY : EISDIR)
        case (.directory, .directory(let number)?):
            if !folders[number].directory.entries.isEmpty { throw error(ENOTEMPTY) }
        case (_, nil), (.file, .file?): break
        }
        apply(
            NameChange(
                first: .init(place: .init(directory: source, name: sourceName), before: node, after: nil),
                second: .init(place: .init(directory: target, name: targetName), before: former, after: node),
                time: time))
    }

    /// Whether the path passes through a directory.
    private func isWithin(_ folder: Int, _ path: String) throws(SystemError) -> Bool {
        var directory = Self.root
        let names = path.split(separator: "/").filter { $0 != "." }
        for name in names.dropLast() {
            let found = folders[directory].directory[FileName(String(name))]
            guard case .directory(let next)? = found else { return false }
            if next == folder { return true }
            directory = next
        }
        return false
    }

    mutating func remove(_ path: String) throws(SystemError) -> Bool {
        guard let (directory, name) = try placeIfAny(of: path, .remove) else { return false }
        let found = try find(name, in: directory, path, .remove)
        guard let name else { throw DiskCall.remove.error(EISDIR, path: path) }
        switch found {
        case nil: return false
        case .directory?: throw DiskCall.remove.error(EISDIR, path: path)
        case .file?:
            change(directory, name, to: nil)
            return true
        }
    }

    mutating func makeDirectory(_ path: String) throws(SystemError) -> Bool {
        let (directory, name) = try place(of: path, .makeDirectory)
        let found = try find(name, in: directory, path, .makeDirectory)
        guard let name, found == nil else { return false }
        if free < Self.directoryBytes { throw DiskCall.makeDirectory.error(ENOSPC, path: path) }
        change(directory, name, to: .directory(makeFolder()))
        return true
    }

    mutating func removeEmptyDirectory(_ path: String) throws(SystemError) -> Bool {
        guard let (directory, name) = try placeIfAny(of: path, .removeDirectory) else { return false }
        let found = try find(name, in: directory, path, .removeDirectory)
        guard let name else { throw DiskCall.removeDirectory.error(EBUSY, path: path) }
        switch found {
        case nil: return false
        case .file?: throw DiskCall.removeDirectory.error(ENOTDIR, path: path)
        case .directory(let number)?:
            if !folders[number].directory.entries.isEmpty { return false }
            change(directory, name, to: nil)
            return true
        }
    }

    func names(in path: String) throws(SystemError) -> [String] {
        folders[try folder(at: path, .names)].directory.entries.map(\.name.text)
    }

    // MARK: Changes

    private mutating func change(_ directory: Int, _ name: FileName, to node: Node?) {
        let before = folders[directory].directory[name]
        apply(
            NameChange(
                first: .init(place: .init(directory: directory, name: name), before: before, after: node), time: time))
    }

    private mutating func apply(_ change: NameChange) {
        mention(change, 1)
        for half in change.halves {
            folders[half.place.directory].directory[half.place.name] = half.after
            if let after = half.after { adjust(after, links: 1) }
            if let before = half.before { adjust(before, links: -1) }
        }
        changes.append(change)
    }

    private mutating func mention(_ change: NameChange, _ count: Int) {
        for half in change.halves {
            adjust(.directory(half.place.directory), mentions: count)
            if let before = half.before { adjust(before, mentions: count) }
            if let after = half.after { adjust(after, mentions: count) }
        }
    }

    // MARK: Durability

    /// Makes the changes of a directory durable, and what they stand on: earlier changes of the names at a rename's other end.
    mutating func syncDirectory(_ directory: Int) {
        if faults.ignoresSyncDirectory || !changes.contains(where: { $0.touches(directory) }) { return }
        var needed: Set<NameChange.Place> = []
        var durable: [NameChange] = []
        var rest: [NameChange] = []
        for change in changes.reversed() {
            let isNeeded = !change.isForgotten && change.touches(directory)
            if isNeeded || change.halves.contains(where: { needed.contains($0.place) }) {
                needed.formUnion(change.halves.map(\.place))
                durable.append(change)
            } else {
                rest.append(change)
            }
        }
        changes = rest.reversed()
        for change in durable { mention(change, -1) }
    }

    /// The sync that failed: later ones do not know of some of the changes.
    mutating func failSyncDirectory(_ directory: Int) {
        for place in changes.indices where changes[place].touches(directory) && random.chance(128) {
            changes[place].isForgotten = true
        }
    }
}
