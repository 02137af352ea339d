import FoundationEssentials
import Glibc
import TestSupport

/// The built `ogw-media`, started as a worker starts it, with pipes for its input and output.
final class HelperProcess {
    let pid: Int32
    private var input: Int32
    private let output: Int32
    private var buffered: [UInt8] = []

    static var program: String {
        if let named = variable("OGW_TEST_MEDIA") { return named }
        // This file lies in Tests/MediaStepsTests of the root.
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return "\(root)/.build/debug/ogw-media"
    }

    init(_ folder: TemporaryFolder, _ helper: String = "images") throws {
        var (toChild, fromChild): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard unsafe pipe(&toChild) == 0, unsafe pipe(&fromChild) == 0 else { throw TestSupportError("no pipe") }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // SAFETY: the actions are initialised, used and destroyed here; the C strings are freed after the spawn.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        let words = [Self.program, "--folder", folder.path, "--class", helper]
        let argv = unsafe words.map { unsafe strdup($0) } + [nil]
        let envp = unsafe [strdup("PATH=/usr/bin:/bin"), nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var pid: Int32 = 0
        let failure = unsafe posix_spawn(&pid, Self.program, &actions, nil, argv, envp)
        close(toChild[0])
        close(fromChild[1])
        guard failure == 0 else { throw TestSupportError("\(Self.program) does not start: errno \(failure)") }
        (self.pid, input, output) = (pid, toChild[1], fromChild[0])
    }

    deinit {
        if input >= 0 { close(input) }
        close(output)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(input, bytes, bytes.count)
    }

    struct Line: Decodable {
        struct Progress: Decodable { let stage: String; let fraction: Double }
        struct Failure: Decodable { let code: String; let reason: String; let permanent: Bool; let `class`: String? }
        struct Output: Decodable {
            let name: String; let file: String; let mime: String; let size: Int; let width: Int?; let height: Int?
        }
        struct Results: Decodable { let type: String; let format: String }
        struct Sandbox: Decodable { let seccomp: Bool; let landlock: Int; let limits: Bool }

        let id: UInt64?
        let ready: Bool?
        let `class`: String?
        let sandbox: Sandbox?
        let progress: Progress?
        let outputs: [Output]?
        let results: Results?
        let error: Failure?
    }

    /// The next line; nil at the end of the output.
    func line() throws -> Line? {
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                let text = Array(buffered[..<end])
                buffered.removeFirst(end + 1)
                return try JSONDecoder().decode(Line.self, from: Data(text))
            }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, 120_000) > 0 else { throw TestSupportError("no answer within two minutes") }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let got = unsafe read(output, &piece, piece.count)
            if got <= 0 { return nil }
            buffered += piece[..<got]
        }
    }

    /// Sends a request and waits for its end, past its progress.
    func ask(_ request: String) throws -> Line {
        send(request)
        while let line = try line() {
            if line.outputs != nil || line.error != nil { return line }
        }
        throw TestSupportError("the helper ended: status \(status ?? -1)")
    }

    /// Ends the helper's input.
    func hangUp() {
        // The number may be another's from here on.
        close(input)
        input = -1
    }

    /// The exit status, or the negative signal, once it has ended; nil where it does not within 20 seconds.
    var status: Int32? {
        var status: Int32 = 0
        for _ in 0..<4_000 {
            if unsafe waitpid(pid, &status, WNOHANG) == pid {
                return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
            }
            usleep(5_000)
        }
        return nil
    }

    /// The most memory that it has held, in MiB.
    var peakMiB: Int {
        let text = String(decoding: (try? TemporaryFolder.read("/proc/\(pid)/status")) ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? Int.max / 2048) / 1024
    }
}
