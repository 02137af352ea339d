import Bytes
import Files
import Glibc
import JSON
import ObjectGateway

/// A file with the hooks of a bucket, as commands read and show it.
enum HookDocument {
    private static let sizeMax = 1 << 20

    /// Reads JSON from the file that operand `place` names, `-` for the standard input.
    static func read(_ path: String, _ place: String, as command: any Command.Type) throws -> JSONValue {
        let text: [UInt8]
        do {
            text =
                try path == "-" ? read(STDIN_FILENO) : read(OpenFile.open(path, flags: O_RDONLY))
        } catch {
            throw command.usage("\(place) is \"\(path)\": wanted a readable file (\(error))")
        }
        guard text.count <= sizeMax, let value = JSONValue(parsing: text) else {
            throw command.usage("\(place) is \"\(path)\": wanted JSON of at most \(sizeMax >> 20) MiB")
        }
        return value
    }

    private static func read(_ file: OpenFile) throws(SystemError) -> [UInt8] {
        try withExtendedLifetime(file) { () throws(SystemError) in try read(file.descriptor) }
    }

    /// In order, as a pipe is read: `<(...)` of a shell is one.
    private static func read(_ descriptor: Int32) throws(SystemError) -> [UInt8] {
        var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
        while text.count <= sizeMax {
            // SAFETY: the call fills the buffer lent to it, within its length.
            let got = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if got == 0 { break }
            if got > 0 {
                text += buffer.prefix(got)
            } else if errno != EINTR {
                throw SystemError("read")
            }
        }
        return text
    }

    /// With a line for each member and item. As deep as the reader of JSON allows.
    static func lines(_ value: JSONValue, indentedBy indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { member in
                "\(inner)\(String(decoding: JSONValue.string(member.name).text, as: UTF8.self)): "
                    + Self.lines(member.value, indentedBy: inner)
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        case .array(let items) where !items.isEmpty:
            let lines = items.map { inner + Self.lines($0, indentedBy: inner) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(indent)]"
        default: return String(decoding: value.text, as: UTF8.self)
        }
    }

    /// A sentence for each thing that is wrong.
    static func faults(_ answer: JSONValue) -> [String] {
        (answer["faults"]?.array ?? []).map { fault in
            let path = fault.text("path")
            let value = fault["value"]?.string.map { " is \"\($0)\"" } ?? ""
            return "\(path.isEmpty ? "the document" : path)\(value): wanted \(fault.text("wanted"))"
        }
    }
}
