import MediaSteps

/// One line of JSON on standard output, followed by `length` bytes of the result.
struct Answer: Encodable {
    let id: UInt64?
    var image: MediaProbe.Image?
    var error: String?
    /// True where the same input can never work.
    var permanent: Bool?
    var length: Int
}
