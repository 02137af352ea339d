/// One line of JSON on standard input, followed by `length` bytes of the file.
struct Request: Decodable {
    enum Operation: String, Decodable { case probe, thumbnail }

    let id: UInt64
    let operation: Operation
    /// Bytes that follow the line.
    let length: Int
    /// The thumbnail's box in pixels.
    let width: Int?
    let height: Int?
}
