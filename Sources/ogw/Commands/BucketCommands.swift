import JSON
import ObjectGateway

/// `ogw bucket make NAME`.
enum BucketMake: Command {
    static let syntax = CommandSyntax(
        "bucket make", "Make a bucket.", operands: ["NAME"],
        options: [
            .init("--versioning", nil, "Keep former versions of its objects."),
            .init("--owner", "USER", "The user that it belongs to. Default root."),
        ] + Control.options, settings: Control.settings, example: "ogw bucket make photos --versioning")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        var members = [
            JSONValue.Member("name", .string(name)),
            .init("versioning", .bool(arguments.switches.contains("--versioning"))),
        ]
        var places: [String: (place: String, value: String?)] = ["name": ("NAME", name)]
        if let owner = arguments.values["--owner"] {
            members.append(.init("owner", .string(owner)))
            places["owner"] = ("--owner", owner)
        }
        let request = Control.Request(method: "POST", path: "/buckets", body: .object(members), places: places)
        let answer = try Control.ask(request, arguments, as: self)
        Control.show(answer, arguments) { "Bucket \($0.text("name")) is made, versioning \($0.text("versioning"))." }
        return 0
    }
}

/// `ogw bucket list`.
enum BucketList: Command {
    static let syntax = CommandSyntax(
        "bucket list", "List the buckets.", options: Control.options, settings: Control.settings,
        example: "ogw bucket list")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let answer = try Control.ask(.init(method: "GET", path: "/buckets"), arguments, as: self)
        Control.show(answer, arguments) { answer in
            Terminal.table(
                ["NAME", "OWNER", "VERSIONING", "CREATED"],
                (answer["buckets"]?.array ?? []).map { bucket in
                    [bucket.text("name"), bucket.text("owner"), bucket.text("versioning"), bucket.text("created_at")]
                })
        }
        return 0
    }
}

/// `ogw bucket remove NAME`.
enum BucketRemove: Command {
    static let syntax = CommandSyntax(
        "bucket remove", "Remove an empty bucket.", operands: ["NAME"], options: Control.options,
        settings: Control.settings, example: "ogw bucket remove photos")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "DELETE", path: "/buckets/\(ControlCaller.segment(name))", places: ["name": ("NAME", name)])
        let answer = try Control.ask(request, arguments, as: self)
        Control.show(answer == .null ? ["name": .string(name)] : answer, arguments) { _ in "Bucket \(name) is removed."
        }
        return 0
    }
}
