/// Bytes that come one piece after another: a request's body after its framing, signatures and chunks were taken off.
public struct ByteSource: Sendable {
    public typealias Consumer = (Span<UInt8>) throws -> Void
    private let next: @Sendable (Consumer) async throws -> Bool

    /// `next` lends the following piece and returns true, or returns false at the end. It throws when the bytes prove wrong
    /// (a signature, a checksum, a disconnect); nothing of the object exists then.
    public init(_ next: @escaping @Sendable (Consumer) async throws -> Bool) { self.next = next }

    public func read(_ consume: Consumer) async throws -> Bool { try await next(consume) }
}
