import Bytes
import Metadata

/// The last part of the URLs that addons call back: a job and a time, sealed with the key of the store, so that nobody makes one and
/// nothing has to be remembered of it.
struct CallbackTokens: Sendable {
    private let secrets: SecretBox
    private static let context = Array("addon callback".utf8)

    init(_ secrets: SecretBox) { self.secrets = secrets }

    /// Nil where it cannot be sealed.
    func token(for job: JobID, until: Timestamp) -> String? {
        let moment = Hex.encode(UInt64(bitPattern: until.milliseconds), width: 16)
        return secrets.seal(job.bytes + moment, context: Self.context).map { Hex.string($0) }
    }

    /// Nil for what this store did not make.
    func read(_ text: String) -> (job: JobID, until: Timestamp)? {
        guard text.utf8.count <= 256, let sealed = Hex.decode(text.utf8),
            let opened = secrets.open(sealed, context: Self.context), opened.count == 32,
            let job = JobID(bytes: Array(opened.prefix(16))), let bytes = Hex.decode(opened.dropFirst(16))
        else { return nil }
        let moment = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (job, Timestamp(milliseconds: Int64(bitPattern: moment)))
    }
}
