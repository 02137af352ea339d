/// Why a document is refused; S3 answers MalformedXML to all of them.
public enum XMLError: Error, Sendable, Equatable {
    /// Not well-formed, or not in an encoding that expat reads. The line counts from 1.
    case malformed(line: Int)
    /// More bytes than the limit.
    case tooLarge
    /// Elements nested deeper than the limit.
    case tooDeep
    /// More elements and attributes than the limit.
    case tooManyNodes
    /// A document type declaration, and with it every entity but the five (S3-TRAPS 36).
    case doctypeRefused
    /// The library could not be set up for want of memory.
    case outOfMemory
}
