/// A file that a step has made.
public struct StepOutput: Sendable, Equatable, Encodable {
    /// Of the object that it becomes, such as "square.jpg"; unique in a request.
    public let name: String
    /// In the work folder.
    public let file: String
    public let mime: String
    /// Pixels, where it has them.
    public var width: Int?
    public var height: Int?
    /// Seconds, where it has them.
    public var duration: Double?
    /// Bytes.
    public let size: Int
    /// The preset that it was made by.
    public var variant: String?

    init(_ name: String, file: String, mime: String, in folder: WorkFolder) throws(MediaError) {
        self.name = name
        self.file = file
        self.mime = mime
        size = try folder.identity(of: file).size
    }
}
