import Bytes
import SigV4
import Testing

@Suite struct PayloadModeTests {
    @Test(arguments: [
        "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER", Example.emptyHash,
    ]) func `every mode reads and writes its name`(_ text: String) throws {
        #expect(String(ascii: try PayloadMode.parse(bytes(text)[...]).text) == text)
    }

    @Test(arguments: [
        "", "unsigned-payload", "UNSIGNED-PAYLOAD ", "STREAMING-UNSIGNED-PAYLOAD", "e3b0",
        String(repeating: "g", count: 64), String(repeating: "0", count: 66),
    ]) func `anything else is refused`(_ text: String) {
        #expect(throws: SignatureError.invalidPayloadHash) { try PayloadMode.parse(bytes(text)[...]) }
    }

    @Test(arguments: [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    ]) func `elliptic curves are not implemented, and say so`(_ text: String) {
        #expect(throws: SignatureError.payloadNotImplemented) { try PayloadMode.parse(bytes(text)[...]) }
    }

    @Test func `only the streaming modes are chunked`() {
        #expect(!PayloadMode.unsigned.isChunked)
        #expect(!PayloadMode.sha256([]).isChunked)
        #expect(PayloadMode.streamingSigned.isChunked)
        #expect(PayloadMode.streamingSignedTrailer.isChunked)
        #expect(PayloadMode.streamingUnsignedTrailer.isChunked)
    }
}
