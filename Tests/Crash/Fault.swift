import Bytes
import Glibc
import LoadClient
import TestSupport

/// One call of the server that is made to fail, in the words of the preloaded library.
struct Fault: Sendable {
    var call: String
    var kind: String
    /// Every call from that one on, as on a disk that is full or gone.
    var isLasting = false
    /// Counted from 1.
    var number = 1

    /// What can happen to each call. A sync that fails once may falsely succeed when it is repeated.
    static let all: [Fault] = [
        "write": ["EIO", "ENOSPC", "ENOSPC lasting", "EINTR", "short"],
        "pwrite": ["EIO", "ENOSPC", "ENOSPC lasting", "EINTR", "short"],
        "pwritev": ["EIO", "ENOSPC", "ENOSPC lasting", "EINTR", "short"],
        "fdatasync": ["EIO", "ENOSPC", "EIO lasting"],
        "fsync": ["EIO", "ENOSPC"],
        "link": ["EIO", "ENOSPC"],
        "rename": ["EIO", "ENOSPC"],
        "ftruncate": ["EIO", "ENOSPC"],
        "fallocate": ["EIO", "ENOSPC", "ENOSPC lasting"],
        "open": ["EIO", "ENOSPC", "EMFILE", "EINTR"],
        "unlink": ["EIO"],
    ].sorted { $0.key < $1.key }.flatMap { call, kinds in
        kinds.map { kind in
            Fault(call: call, kind: String(kind.split(separator: " ")[0]), isLasting: kind.hasSuffix("lasting"))
        }
    }

    /// Nothing of it may be seen by a client: a call that was interrupted or took a part is to be continued.
    var isHarmless: Bool { kind == "short" || kind == "EINTR" }

    var name: String { "\(call) \(kind)\(isLasting ? " from" : " at") \(number)" }

    func variables(report: String) -> [String: String] {
        var variables = [
            "OGW_FAULT_CALL": call, "OGW_FAULT_KIND": kind, "OGW_FAULT_AT": "\(number)", "OGW_FAULT_REPORT": report,
        ]
        if isLasting { variables["OGW_FAULT_LASTING"] = "1" }
        return variables
    }
}
