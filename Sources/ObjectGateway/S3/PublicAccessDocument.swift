import HTTPServer
import Metadata
import Policies
import XML

/// What a bucket refuses of public access, as a document (API/PublicAccessBlockConfiguration). What is left out is false.
enum PublicAccessDocument {
    /// MalformedXML for anything else.
    static func read(_ root: XMLElement) throws(S3Error) -> PublicAccess {
        guard root.isNamed("PublicAccessBlockConfiguration") else { throw S3Error(.malformedXML) }
        var access = PublicAccess.open
        for child in root.children {
            let isOn: Bool
            switch String(decoding: child.text, as: UTF8.self).lowercased() {
            case "true": isOn = true
            case "false": isOn = false
            default: throw S3Error(.malformedXML)
            }
            if child.isNamed("BlockPublicAcls") {
                access.blocksPublicACLs = isOn
            } else if child.isNamed("IgnorePublicAcls") {
                access.ignoresPublicACLs = isOn
            } else if child.isNamed("BlockPublicPolicy") {
                access.blocksPublicPolicy = isOn
            } else if child.isNamed("RestrictPublicBuckets") {
                access.restrictsPublicBuckets = isOn
            } else {
                throw S3Error(.malformedXML)
            }
        }
        return access
    }

    static func document(_ access: PublicAccess) -> S3Document {
        var xml = S3Document("PublicAccessBlockConfiguration")
        xml.element("BlockPublicAcls", access.blocksPublicACLs)
        xml.element("IgnorePublicAcls", access.ignoresPublicACLs)
        xml.element("BlockPublicPolicy", access.blocksPublicPolicy)
        xml.element("RestrictPublicBuckets", access.restrictsPublicBuckets)
        return xml
    }
}
