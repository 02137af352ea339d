import JSON

extension AddonAnswer {
    /// The field `metadata` is JSON; each file is one that the addon made. Other fields are passed over.
    public init(form: MultipartBody) throws(MultipartBody.Malformed) {
        self.init()
        for part in form.parts {
            if let name = part.fileName {
                guard files.count < Self.filesMax else {
                    throw MultipartBody.Malformed(reason: "more than \(Self.filesMax) files")
                }
                files.append(File(name: name, contentType: part.contentType, content: .bytes([UInt8](part.content))))
            } else if part.name == "metadata" {
                guard part.content.count <= Self.metadataMax, let value = JSONValue(parsing: [UInt8](part.content))
                else {
                    throw MultipartBody.Malformed(
                        reason: "metadata is not JSON of at most \(Self.metadataMax >> 10) KiB")
                }
                metadata = value
            }
        }
    }
}
