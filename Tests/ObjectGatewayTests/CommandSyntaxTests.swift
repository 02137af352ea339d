import JSON
import Testing

@testable import ObjectGateway

private let syntax = CommandSyntax(
    "thing make", "Make a thing.", operands: ["NAME"],
    options: [.init("--size", "N", "Its size."), .init("--red", nil, "Paint it red.")],
    settings: ["OGW_DATA"].compactMap(Setting.named), example: "ogw thing make x\nogw thing make y")

@Suite struct CommandSyntaxTests {
    @Test(arguments: [
        ["x", "--size", "3", "--red"], ["--size=3", "--red", "x"], ["--red", "--size", "3", "--", "x"],
    ])
    func `flags and operands come in any order, with a space or =`(arguments: [String]) throws {
        let parsed = try syntax.parse(arguments)
        #expect(parsed.operands == ["x"] && parsed.values == ["--size": "3"] && parsed.switches == ["--red"])
    }

    @Test func `after -- nothing is a flag, and a value may begin with a dash`() throws {
        #expect(try syntax.parse(["--", "--red"]).operands == ["--red"])
        #expect(try syntax.parse(["x", "--size", "--3"]).values["--size"] == "--3")
        #expect(try syntax.parse(["x", "--size="]).values["--size"] == "")
        #expect(try syntax.parse(["-"]).operands == ["-"])
    }

    @Test(arguments: [
        (["x", "--blue"], "--blue is not a flag of this command: wanted one of those that --help lists"),
        (["x", "--size"], "--size has no value: wanted N"),
        (["x", "--data"], "--data has no value: wanted FOLDER"),
        (["x", "--red=1"], "--red is \"1\": wanted no value"),
        (["x", "--red", "--red"], "--red is given twice: wanted it once"),
        (["x", "--size", "1", "--size=2"], "--size is given twice: wanted it once"),
        ([], "NAME is missing: wanted `ogw thing make NAME [flags]`"),
        (["x", "y"], "\"y\" is one argument too many: wanted `ogw thing make NAME [flags]`"),
    ])
    func `wrong usage is one sentence that names what was given and wanted`(arguments: [String], what: String) {
        #expect(throws: UsageError(command: "thing make", what: what)) { try syntax.parse(arguments) }
    }

    @Test func `the sentence ends with where to read more`() {
        #expect("\(UsageError(command: "a", what: "b: wanted c"))" == "ogw a: b: wanted c (see `ogw a --help`).")
    }

    @Test func `help wins over errors, but not after --`() throws {
        #expect(try syntax.parse(["--blue", "-h"]).wantsHelp)
        #expect(try !syntax.parse(["--", "-h"]).wantsHelp)
    }

    @Test func `help shows the flags, the settings and the example`() {
        for part in ["--size N", "--red", "--data FOLDER", "OGW_DATA", "  ogw thing make y\n"] {
            #expect(syntax.help.contains(part))
        }
        #expect(syntax.help.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
}
