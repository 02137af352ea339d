import Bytes
import HTTPServer
import Metadata
import XML

/// A refusal in S3's own form.
struct S3Error: Error, Sendable {
    /// An element beside Code and Message, such as `BucketName`.
    struct Detail: Sendable {
        var name: StaticString
        var value: [UInt8]
    }

    var code: S3ErrorCode
    var message: String
    var details: [Detail] = []
    /// Fields that the answer carries beside the usual ones.
    var headers = HeaderBlock()
    /// What really happened, for the log; never sent.
    var cause: String?

    init(_ code: S3ErrorCode, _ message: String? = nil, cause: String? = nil) {
        self.code = code
        self.message = message ?? code.message
        self.cause = cause
    }

    func adding(_ name: StaticString, _ value: some Sequence<UInt8>) -> S3Error {
        var copy = self
        copy.details.append(Detail(name: name, value: [UInt8](value)))
        return copy
    }

    /// InvalidArgument with the argument's name and value, as AWS words it.
    static func invalidArgument(_ name: String, _ value: some Sequence<UInt8>, _ message: String) -> S3Error {
        S3Error(.invalidArgument, message).adding("ArgumentName", name.utf8).adding("ArgumentValue", value)
    }

    /// The `Error` document. Source: AWS, API/ErrorResponses, REST error responses.
    func document(resource: some Collection<UInt8>, requestID: [UInt8], hostID: [UInt8]) -> [UInt8] {
        var xml = XMLWriter()
        xml.open("Error")
        xml.element("Code", code.rawValue)
        xml.element("Message", message)
        for detail in details { xml.element(detail.name, detail.value) }
        xml.element("Resource", resource)
        xml.element("RequestId", requestID)
        xml.element("HostId", hostID)
        xml.close("Error")
        return xml.bytes
    }
}
