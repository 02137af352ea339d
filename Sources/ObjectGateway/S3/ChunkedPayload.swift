import Buckets
import Bytes
import HTTPServer
import SigV4

/// An aws-chunked body on its way through the decoder.
///
/// @unchecked Sendable: a body is read by one task at a time, and the trailers are looked at after its end.
final class ChunkedPayload: @unchecked Sendable {
    private let body: RequestBody
    private var decoder: SigV4.ChunkedDecoder

    init(_ body: RequestBody, _ payload: AuthenticatedPayload, length: UInt64, head: RequestHead) throws(S3Error) {
        self.body = body
        let announced = head.all("x-amz-trailer").flatMap { $0.split(separator: Ascii.comma) }
            .map { Ascii.lowered(Ascii.trimmed($0)) }
        do {
            decoder = try SigV4.ChunkedDecoder(payload: payload, decodedLength: length, announcedTrailers: announced)
        } catch {
            throw S3Error(mapping: error)
        }
    }

    /// The content, without framing. Ends only when every signature and the trailer were right.
    var source: ByteSource { ByteSource { try await self.next($0) } }

    private func next(_ consume: ByteSource.Consumer) async throws -> Bool {
        if try await body.read({ piece in try decoder.decode(piece, emit: consume) }) { return true }
        try decoder.finish()
        return false
    }

    /// A field of the trailer; nil when it did not come. To be asked after the end of `source`.
    func trailer(_ name: StaticString) -> [UInt8]? {
        decoder.trailers.first { name.matches($0.name) }?.value
    }
}
