/// A suspended task, to be resumed exactly once.
///
/// The unsafe continuation costs no allocation and no check; each owner keeps the rule by a state of its own.
@safe public struct Waiter<Value: Sendable>: Sendable {
    @usableFromInline let continuation: UnsafeContinuation<Value, Never>

    @inlinable init(_ continuation: UnsafeContinuation<Value, Never>) { unsafe self.continuation = continuation }

    @inlinable public func resume(_ value: sending Value) {
        // SAFETY: whoever holds the waiter resumes it once; that is its contract.
        unsafe continuation.resume(returning: value)
    }

    /// Suspends the calling task and hands it to `body`, which keeps it or resumes it.
    @inlinable
    public static func suspend(_ body: (Waiter<Value>) -> Void) async -> Value {
        // SAFETY: the waiter takes over the duty to resume once.
        unsafe await withUnsafeContinuation { unsafe body(Waiter($0)) }
    }
}
