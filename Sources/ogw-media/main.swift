import FoundationEssentials
import Glibc
import MediaSteps

let usage = """
    ogw-media decodes foreign images apart from the gateway, which starts it. It reads requests on standard input.

      ogw-media                 answer requests until standard input ends
      ogw-media probe FILE      print the dimensions and the format of an image as JSON
      ogw-media --version       print the versions of this program and of its image library

    Example: ogw-media probe photo.jpg

    """

func fail(_ message: String, status: Int32) -> Never {
    Output.error.write(Array("ogw-media: \(message)\n".utf8))
    exit(status)
}

let output = Output.standard
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case nil:
    // A supervisor that has gone must not end this program in the middle of a write.
    signal(SIGPIPE, SIG_IGN)
    exit(RequestLoop(input: StandardInput(), output: output).run())
case "--help", "-h":
    output.write(Array(usage.utf8))
case "--version" where arguments.count == 1:
    do {
        output.write(Array("ogw-media 0.1.0, libvips \(try MediaProbe.libraryVersion())\n".utf8))
    } catch {
        fail("\(error)", status: 1)
    }
case "probe" where arguments.count == 2:
    guard let file = try? Data(contentsOf: URL(filePath: arguments[1])) else {
        fail("\(arguments[1]): no such file, or it cannot be read", status: 2)
    }
    do {
        let image = try MediaProbe.image(Array(file))
        output.write(Array(try JSONEncoder().encode(image)) + [0x0a])
    } catch {
        fail("\(arguments[1]): \(error)", status: 1)
    }
default:
    fail("no command '\(arguments.joined(separator: " "))'; ogw-media --help lists what there is", status: 2)
}
