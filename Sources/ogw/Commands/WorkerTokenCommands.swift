import JSON
import ObjectGateway

/// `ogw worker-token add NAME`.
enum WorkerTokenAdd: Command {
    static let syntax = CommandSyntax(
        "worker-token add", "Make a token by which workers on other machines may take jobs; it is shown once.",
        operands: ["NAME"], options: Control.options, settings: Control.settings,
        example: "ogw worker-token add rack-2")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(
            method: "POST", path: "/worker-tokens", body: ["name": .string(name)], places: ["name": ("NAME", name)])
        Control.show(try Control.ask(request, arguments, as: self), arguments) { answer in
            """
            The token \(answer.text("name")) is shown this once:

              export OGW_WORKER_TOKEN=\(answer.text("token"))
              ogw worker --gateway http://HOST:9001
            """
        }
        return 0
    }
}

/// `ogw worker-token list`.
enum WorkerTokenList: Command {
    static let syntax = CommandSyntax(
        "worker-token list", "List the tokens of workers, by name.", options: Control.options,
        settings: Control.settings, example: "ogw worker-token list --json")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try Control.list(
            "tokens", of: "/worker-tokens", ["NAME", "CREATED"], arguments, as: self
        ) { [$0.text("name"), $0.text("created_at")] }
    }
}

/// `ogw worker-token remove NAME`.
enum WorkerTokenRemove: Command {
    static let syntax = CommandSyntax(
        "worker-token remove", "Refuse a token from now on.", operands: ["NAME"], options: Control.options,
        settings: Control.settings, example: "ogw worker-token remove rack-2")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let name = arguments.operands[0]
        let request = Control.Request(method: "DELETE", path: "/worker-tokens/\(ControlCaller.segment(name))")
        let answer = try Control.ask(request, arguments, as: self)
        Control.show(answer, arguments) { _ in "Workers with the token \(name) are refused from now on." }
        return 0
    }
}
