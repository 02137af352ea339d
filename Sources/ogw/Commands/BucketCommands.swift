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
        try Control.list(
            "buckets", of: "/buckets", ["NAME", "OWNER", "VERSIONING", "ASSETS", "CREATED"], arguments, as: self
        ) { bucket in
            [
                bucket.text("name"), bucket.text("owner"), bucket.text("versioning"),
                bucket["assets"]?.bool == true ? "on" : "off", bucket.text("created_at"),
            ]
        }
    }
}

/// `ogw bucket assets NAME on|off`.
enum BucketAssets: Command {
    static let syntax = CommandSyntax(
        "bucket assets", "Say whether a bucket's objects are assets; those that are there become some.",
        operands: ["NAME", "on|off"], options: Control.options, settings: Control.settings,
        example: "ogw bucket assets photos on")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let (name, state) = (arguments.operands[0], arguments.operands[1])
        guard state == "on" || state == "off" else {
            throw usage("on|off is \"\(state)\": wanted on or off")
        }
        let path = "/buckets/\(ControlCaller.segment(name))/assets"
        let places: [String: (place: String, value: String?)] = ["name": ("NAME", name)]
        let body: JSONValue = ["assets": .bool(state == "on")]
        var answer = try Control.ask(
            Control.Request(method: "PUT", path: path, body: body, places: places), arguments, as: self)
        var made: Int64 = 0
        if state == "on" {
            var next: JSONValue? = nil
            repeat {
                let body: JSONValue = .object(next.map { [JSONValue.Member("after", $0)] } ?? [])
                let page = try Control.ask(
                    Control.Request(method: "POST", path: path, body: body, places: places), arguments, as: self)
                made += Int64(page["made"]?.integer ?? 0)
                next = page["next"].flatMap { $0 == .null ? nil : $0 }
            } while next != nil
            answer = ["name": .string(name), "assets": .bool(true), "made": .integer(made)]
        }
        Control.show(answer, arguments) { _ in
            state == "on"
                ? "The objects of \(name) are assets; \(made) that were there became some."
                : "New objects of \(name) are no assets."
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
