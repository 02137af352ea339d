import Vips

/// The pixels of the last output, so that a step on that output decodes nothing. One at most, and of bounded size.
public final class KeptPicture {
    public static let bytesMax = 160 << 20

    private var picture: Picture?
    private var file = ""
    private var identity: WorkFolder.Identity?

    public init() {}

    /// Keeps what was just written to `file`: upright, in memory.
    func keep(_ picture: Picture, as file: String, in folder: WorkFolder) {
        guard picture.pixelBytes <= Self.bytesMax, let identity = try? folder.identity(of: file) else {
            return forget()
        }
        self.picture = picture
        self.file = file
        self.identity = identity
    }

    /// Nil where `file` is another one, or has been written since.
    func picture(of file: String, in folder: WorkFolder) -> Picture? {
        guard file == self.file, let picture, let now = try? folder.identity(of: file), now == identity else {
            return nil
        }
        return picture
    }

    public func forget() {
        picture = nil
        identity = nil
        file = ""
    }
}
