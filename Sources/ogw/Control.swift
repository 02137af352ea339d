import Bytes
import JSON
import ObjectGateway
import Threads

/// What the commands that change a store have in common: they reach it, ask, and show the answer.
enum Control {
    static let settings: [Setting] = ["OGW_DATA"].compactMap(Setting.named)
    static let json = CommandSyntax.Option("--json", nil, "Print the answer as JSON.")
    static let options = [json, Environment.fileOption]

    struct Request: Sendable {
        var method: String
        var path: String
        var body = JSONValue.null
        /// What the person wrote for a field of the body or path: the flag or operand, and its value unless it is secret.
        var places: [String: (place: String, value: String?)] = [:]
    }

    /// Returns the answer of a request that succeeded. A refused field is wrong usage of the flag that gave it.
    static func ask(_ request: Request, _ arguments: ParsedArguments, as command: any Command.Type) throws -> JSONValue
    {
        let configuration = try Environment.configuration(arguments)
        let pool = try Pool.start(threads: 2)
        let log = Log(level: .warning)
        let answer = try waitFor(on: pool) {
            let caller = try await ControlCaller.reach(configuration, pool: pool, log: log)
            do throws(StartError) {
                let answer = try await caller.call(request.method, request.path, request.body)
                await caller.close()
                return answer
            } catch {
                await caller.close()
                throw error
            }
        }
        if answer.isSuccess { return answer.value }
        if let field = answer.value["errors"]?.array?.first, let name = field["field"]?.string,
            let wanted = field["wanted"]?.string, let given = request.places[name]
        {
            let value = given.value.map { " is \"\($0)\"" } ?? " cannot be used"
            throw command.usage("\(given.place)\(value): wanted \(wanted)")
        }
        throw StartError(answer.value["detail"]?.string ?? "The store answered \(answer.status).")
    }

    /// Asks for what is registered, and prints it as a table: a row for each element of the answer's member `name`.
    static func list(
        _ name: String, of path: String, _ heading: [String], _ arguments: ParsedArguments,
        as command: any Command.Type, _ row: (JSONValue) -> [String]
    ) throws -> Int32 {
        show(try ask(.init(method: "GET", path: path), arguments, as: command), arguments) { answer in
            Terminal.table(heading, (answer[name]?.array ?? []).map(row))
        }
        return 0
    }

    /// Prints the answer as JSON where that was asked for, else as `text` has it.
    static func show(_ answer: JSONValue, _ arguments: ParsedArguments, _ text: (JSONValue) -> String) {
        if arguments.switches.contains(json.flag) {
            Terminal.print(String(ascii: answer.text))
        } else {
            Terminal.print(text(answer))
        }
    }
}

extension JSONValue {
    /// The text of a member that is a string, else empty.
    func text(_ name: String) -> String { self[name]?.string ?? "" }
}
