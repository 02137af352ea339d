/// Bounds on what is parsed.
public struct XMLLimits: Sendable {
    /// Of the whole document.
    public var bytesMax: Int
    /// Elements inside one another, the root counting as 1.
    public var depthMax: Int
    /// Elements and attributes in the whole document.
    public var nodesMax: Int

    public init(bytesMax: Int = 4 << 20, depthMax: Int = 32, nodesMax: Int = 200_000) {
        self.bytesMax = bytesMax
        self.depthMax = depthMax
        self.nodesMax = nodesMax
    }
}
