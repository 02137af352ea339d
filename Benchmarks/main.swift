import Glibc
import LoadClient

// The load generator behind scripts/bench, which starts the servers and prints the table.
do {
    let words = CommandLine.arguments
    let arguments = try Arguments([String](words.dropFirst(2)))
    switch words.dropFirst().first {
    case "bucket": try Requests.makeBucket(arguments)
    case "seed": try Requests.seed(arguments)
    case "sign": try Requests.sign(arguments)
    case "lua": try Requests.lua(arguments)
    case "put": try Loads.put(arguments)
    case "get": try Loads.get(arguments)
    case "cost": try Loads.cost(arguments)
    case "idle": try Loads.idle(arguments)
    case "interference": try Loads.interference(arguments)
    case "big": try LargeObject(arguments).run()
    default: throw ClientError("expected bucket, seed, sign, lua, put, get, cost, idle, interference or big")
    }
} catch {
    print("ogw-bench: \(error)")
    exit(1)
}
