import Bytes
import Digests
public import Files
import Glibc

/// Seals the users' secret keys with the key file of the data folder, so that a copy of the database alone opens nothing.
/// A secret is bound to its access key: moved to another user's row it does not open.
public struct SecretBox: Sendable {
    public static let fileName = "secret.key"

    private let sealing: SecretSealing

    /// Nil unless the key has 32 bytes.
    public init?(key: [UInt8]) {
        guard let sealing = SecretSealing(key: key) else { return nil }
        self.sealing = sealing
    }

    /// Reads `folder/secret.key`, or makes it (32 random bytes, mode 0600, durable) where `mayCreate` and it is absent.
    /// A key that others may read is refused. May block.
    public static func open(folder: String, mayCreate: Bool) throws(SecretBoxError) -> SecretBox {
        try open(file: folder + "/" + fileName, mayCreate: mayCreate)
    }

    /// The same of the file at `path`, whose folder must exist.
    public static func open(file path: String, mayCreate: Bool) throws(SecretBoxError) -> SecretBox {
        do {
            if mayCreate { try create(path) }
            let file = try OpenFile.open(path, flags: O_RDONLY)
            var status = stat()
            // SAFETY: the call fills the struct lent to it.
            if unsafe fstat(file.descriptor, &status) != 0 { throw SystemError("fstat", path: path) }
            guard status.st_mode & 0o077 == 0 else { throw SecretBoxError.exposed(path: path) }
            guard let box = SecretBox(key: try file.read(at: 0, count: SecretSealing.keyLength + 1)) else {
                throw SecretBoxError.damaged(path: path)
            }
            return box
        } catch let error as SecretBoxError {
            throw error
        } catch let error as SystemError {
            throw error.isNotFound ? .missing(path: path) : .system(error)
        } catch {
            throw .damaged(path: path)
        }
    }

    /// Leaves an existing key alone. The name appears only once the bytes are durable, so no half-written key is ever read.
    private static func create(_ path: String) throws(SystemError) {
        if unsafe access(path, F_OK) == 0 { return }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = try OpenFile.unnamed(in: folder)
        try file.write(SecureRandom.bytes(SecretSealing.keyLength).span, at: 0)
        if fsync(file.descriptor) != 0 { throw SystemError("fsync", path: path) }
        do {
            try file.link(as: path)
        } catch {
            if error.errno == EEXIST { return }
            throw error
        }
        try OpenFile.syncDirectory(folder)
    }

    /// Sealed so that `passes` can tell this key from another.
    func check() -> [UInt8]? { sealing.seal(Self.checked, context: Self.checked) }
    func passes(_ check: [UInt8]) -> Bool { sealing.open(check, context: Self.checked) == Self.checked }
    private static let checked = [UInt8]("ogw-store".utf8)

    /// Bound to what `context` says: to another it does not open.
    func seal(_ secret: [UInt8], context: [UInt8]) -> [UInt8]? { sealing.seal(secret, context: context) }
    func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? { sealing.open(sealed, context: context) }
    func seal(_ secret: [UInt8], accessKey: [UInt8]) -> [UInt8]? { sealing.seal(secret, context: accessKey) }
    func open(_ sealed: [UInt8], accessKey: [UInt8]) -> [UInt8]? { sealing.open(sealed, context: accessKey) }
}

/// Why the key file cannot be used.
public enum SecretBoxError: Error, Sendable, Equatable, CustomStringConvertible {
    case missing(path: String)
    /// Its mode lets the group or others in.
    case exposed(path: String)
    case damaged(path: String)
    case system(SystemError)

    public var description: String {
        switch self {
        case .missing(let path):
            "\(path) is missing, and the users' secret keys cannot be read without it: restore it from a backup"
        case .exposed(let path): "\(path) may be read by others: wanted mode 0600 (chmod 600 \(path))"
        case .damaged(let path): "\(path) is not a key: wanted \(SecretSealing.keyLength) bytes"
        case .system(let error): error.description
        }
    }
}
