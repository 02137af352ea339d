import Glibc
import MediaSteps
import Vips

let usage = """
    ogw-media decodes foreign media apart from the gateway. A worker starts it and sends it requests, one line of JSON each,
    on standard input; docs/MEDIA.md describes them.

      ogw-media --folder DIR [--class images|documents|media]
                                 answer requests on files in DIR until standard input ends
      ogw-media probe FILE       print what is known of a file as JSON
      ogw-media --check-sandbox --folder DIR [--class CLASS]
                                 print which forbidden things were refused
      ogw-media --version        print the versions of this program and of its image library

    Example: ogw-media probe photo.jpg

    """

let programVersion = "0.1.0"

func fail(_ message: String, status: Int32) -> Never {
    Output.error.write(Array("ogw-media: \(message)\n".utf8))
    exit(status)
}

/// Gives up what the class of helper does not need; the process stands in the folder from here on.
func enter(_ arguments: Arguments) -> Sandbox.Report {
    // SAFETY: C strings are lent for each call, here and below.
    guard unsafe chdir(arguments.folder) == 0 else {
        fail("--folder \(arguments.folder): expected a folder that can be entered", status: 2)
    }
    // A supervisor that has gone must not end this program in the middle of a write.
    signal(SIGPIPE, SIG_IGN)
    unsafe setenv("TMPDIR", ".", 1)
    unsafe setenv("HOME", "/nonexistent", 1)
    return Sandbox.enter(arguments.helper, folder: ".", programs: .find())
}

func startVips(_ helper: HelperClass) -> VipsLibrary {
    do {
        let vips = try VipsLibrary.start()
        if helper == .documents { vips.allowDocuments() }
        return vips
    } catch {
        fail("\(error)", status: 1)
    }
}

func serve(_ arguments: Arguments) -> Int32 {
    let report = enter(arguments)
    let vips = startVips(arguments.helper)
    let programs = Programs.find()
    let watchdog = Watchdog(.standard)
    watchdog.start()
    Output.standard.write(
        line: Ready(
            version: programVersion, libvips: vips.version, class: arguments.helper, sandbox: report,
            ffmpeg: arguments.helper == .media && programs.ffmpeg != nil && programs.ffprobe != nil))
    return RequestLoop(
        input: StandardInput(), output: .standard, helper: arguments.helper, vips: vips, programs: programs,
        watchdog: watchdog
    ).run()
}

/// For people: finds out which class takes the file, enters its sandbox around the file's folder, and looks.
func probe(_ path: String) -> Never {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let name = String(parts.last ?? "")
    let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : "."
    guard WorkFolder.isName(name) else {
        fail("\(path): expected a file whose name is made of letters, digits, dots and dashes", status: 2)
    }
    guard unsafe chdir(folder) == 0, let helper = WorkFolder(".").helper(of: name) else {
        fail("\(path): no such file, or of no known kind", status: 2)
    }
    _ = enter(Arguments(folder: ".", helper: helper))
    let context = StepContext(
        folder: WorkFolder("."), helper: helper, limits: MediaLimits(helper), vips: startVips(helper),
        kept: KeptPicture(), programs: .find(), prefix: "", timeout: .seconds(60))
    do {
        Output.standard.write(line: try ProbeStep(context).run(name))
    } catch {
        fail("\(path): \(error)", status: 1)
    }
    exit(0)
}

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case nil, "--help", "-h":
    Output.standard.write(Array(usage.utf8))
    exit(words.isEmpty ? 2 : 0)
case "--version" where words.count == 1:
    Output.standard.write(Array("ogw-media \(programVersion), libvips \(startVips(.images).version)\n".utf8))
case "probe" where words.count == 2: probe(words[1])
case "--check-sandbox":
    let arguments = Arguments.parse(words.dropFirst())
    let report = enter(arguments)
    _ = startVips(arguments.helper)
    let (refused, allowed) = Sandbox.attempts()
    Output.standard.write(line: SandboxCheck(sandbox: report, refused: refused, allowed: allowed))
case let word where word?.hasPrefix("--") == true: exit(serve(Arguments.parse(words[...])))
default:
    fail("no command '\(words.joined(separator: " "))'; ogw-media --help lists what there is", status: 2)
}
