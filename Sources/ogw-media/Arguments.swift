import MediaSteps

/// The flags of a helper.
struct Arguments {
    var folder: String
    var helper: HelperClass

    static func parse(_ words: ArraySlice<String>) -> Arguments {
        var folder: String?
        var helper = HelperClass.images
        var rest = words
        while let flag = rest.popFirst() {
            guard let value = rest.popFirst() else { fail("\(flag): expected a value behind it", status: 2) }
            switch flag {
            case "--folder": folder = value
            case "--class":
                guard let known = HelperClass(rawValue: value) else {
                    let all = HelperClass.allCases.map(\.rawValue).joined(separator: ", ")
                    fail("--class \(value): expected one of \(all)", status: 2)
                }
                helper = known
            default: fail("\(flag): expected --folder or --class; ogw-media --help lists what there is", status: 2)
            }
        }
        guard let folder else { fail("--folder is missing: expected the folder of the files", status: 2) }
        return Arguments(folder: folder, helper: helper)
    }
}

/// What `--check-sandbox` prints.
struct SandboxCheck: Encodable {
    let sandbox: Sandbox.Report
    let refused: [String]
    let allowed: [String]
}
