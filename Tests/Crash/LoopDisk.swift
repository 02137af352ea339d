import CExt4
import Glibc
import LoadClient
import TestSupport

/// An ext4 file system in a file, mounted through a loop device.
final class LoopDisk {
    /// The mounted folder.
    let folder: String
    private let image: String
    private(set) var isMounted = false

    /// Why this machine cannot have one; nil where it can.
    static func obstacle(in folder: String) -> String? {
        guard geteuid() == 0 else { return "mounting needs root" }
        guard let disk = try? LoopDisk(in: folder, name: "probe", mebibytes: 16) else {
            return "no ext4 image can be mounted through a loop device here"
        }
        return disk.shutDown(mode: 2) ? nil : "this kernel does not shut ext4 down on request"
    }

    init(in folder: String, name: String, mebibytes: Int, options: String = "loop") throws {
        image = "\(folder)/\(name).ext4"
        self.folder = "\(folder)/\(name)"
        // A run that was interrupted may have left it.
        _ = try? Shell.run("umount", "-q", self.folder)
        try Shell.run("mkdir", "-p", self.folder)
        try Shell.run("rm", "-f", image)
        try Shell.run("truncate", "-s", "\(mebibytes)M", image)
        try Shell.run("mkfs.ext4", "-q", "-F", image)
        try mount(options)
    }

    deinit {
        try? unmount()
        _ = try? Shell.run("rm", "-rf", image, folder)
    }

    func mount(_ options: String = "loop") throws {
        try Shell.run("mount", "-t", "ext4", "-o", options, image, folder)
        isMounted = true
    }

    func unmount() throws {
        if !isMounted { return }
        // The kernel may still be closing the files of a process that has just ended.
        for _ in 0..<200 {
            if (try? Shell.run("umount", folder)) != nil {
                isMounted = false
                return
            }
            usleep(50_000)
        }
        try Shell.run("umount", folder)
    }

    /// As a power cut: see `cext4_shutdown`. Returns whether the kernel did it.
    func shutDown(mode: UInt32) -> Bool { unsafe cext4_shutdown(folder, mode) == 0 }
}

/// Programs that a harness needs, run to their end.
enum Shell {
    @discardableResult
    static func run(_ arguments: String...) throws -> String {
        let scratch = try TemporaryFolder()
        let child = try ChildProcess.start(arguments, folder: "/", outputPath: scratch.file("output"))
        while true {
            if let ending = child.poll() {
                guard ending.status == 0 else {
                    throw ClientError("\(arguments.joined(separator: " ")) failed: \(ending.output)")
                }
                return ending.output
            }
            usleep(500)
        }
    }
}
