import FoundationEssentials
import Glibc

/// Writes standard output or standard error; blocks.
struct Output {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let error = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32

    /// A value as one line of JSON, its keys in order.
    func write(line value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(value) else { return }
        write(Array(json) + [0x0a])
    }

    /// A reader that has gone leaves nothing to do: the next read of standard input finds its end.
    func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { lent in
                // SAFETY: the pointer and the rest of the bytes behind it are used within the closure.
                unsafe Glibc.write(descriptor, lent.baseAddress.map { unsafe $0 + done }, lent.count - done)
            }
            if written < 0 && errno == EINTR { continue }
            if written <= 0 { return }
            done += written
        }
    }
}
