import Buckets
import Bytes
import HTTPServer
import Metadata

extension S3Error {
    /// What a client is told of an error of the modules below. Their texts become `cause`, which only the log sees.
    init(mapping error: any Error) {
        switch error {
        case let error as S3Error: self = error
        case let error as MetadataError: self.init(error)
        case let error as BucketsError: self.init(error)
        case let error as BodyError: self.init(error)
        default: self.init(.internalError, cause: "\(error)")
        }
    }

    init(_ error: MetadataError) {
        switch error {
        case .noSuchBucket: self.init(.noSuchBucket)
        case .bucketExists: self.init(.bucketAlreadyExists)
        case .bucketNotEmpty: self.init(.bucketNotEmpty)
        case .noSuchKey: self.init(.noSuchKey)
        case .noSuchVersion: self.init(.noSuchVersion)
        case .noSuchUpload: self.init(.noSuchUpload)
        case .invalidPart(let number):
            self = S3Error(.invalidPart).adding("PartNumber", Ascii.decimal(of: UInt64(max(0, number))))
        case .partTooSmall(let number, let size, let sizeMin):
            self = S3Error(.entityTooSmall)
                .adding("PartNumber", Ascii.decimal(of: UInt64(max(0, number))))
                .adding("ProposedSize", Ascii.decimal(of: size))
                .adding("MinSizeAllowed", Ascii.decimal(of: sizeMin))
        case .preconditionFailed: self.init(.preconditionFailed)
        case .limitExceeded(let what): self.init(.tooManyBuckets, cause: what)
        case .unavailable(let cause): self.init(.slowDown, cause: cause)
        case .userExists, .accessKeyExists, .noSuchUser: self.init(.internalError, cause: "\(error)")
        case .broken(let cause): self.init(.internalError, cause: cause)
        }
    }

    init(_ error: BucketsError) {
        switch error {
        case .tooLarge(let sizeMax):
            self = S3Error(.entityTooLarge).adding("MaxSizeAllowed", Ascii.decimal(of: sizeMax))
        case .diskFull: self.init(.insufficientStorage)
        // The version was deleted while it was being opened, as if the read had come later.
        case .gone: self.init(.noSuchKey, cause: error.description)
        case .invalidRange: self.init(.invalidRange)
        case .damaged, .folderInUse, .unknownFormat, .system: self.init(.internalError, cause: error.description)
        }
    }

    init(_ error: BodyError) {
        switch error {
        case .disconnected: self.init(.incompleteBody)
        case .tooSlow: self.init(.requestTimeout)
        case .malformed: self.init(.incompleteBody, "The chunked framing of the body is broken.")
        case .stopping: self.init(.slowDown)
        }
    }
}
