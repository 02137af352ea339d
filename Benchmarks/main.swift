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
    case "each": try ObjectLoads.each(arguments)
    case "mixed": try ObjectLoads.mixed(arguments)
    case "fill": try ObjectLoads.fill(arguments)
    case "list": try ObjectLoads.list(arguments)
    case "multipart": try Multipart.run(arguments)
    case "copy": try Multipart.copyOne(arguments)
    case "floor": try Floor.run(arguments)
    case "search": try SearchLoad.run(arguments)
    case "hooks": try HookLoad.run(arguments)
    case "mongo": try MongoLoads.run(arguments)
    case "mongo-list": try MongoLoads.list(arguments)
    default:
        throw ClientError(
            "expected bucket, seed, sign, lua, put, get, cost, idle, interference, big, each, mixed, fill, list, "
                + "multipart, copy, floor, search, hooks, mongo or mongo-list")
    }
} catch {
    print("ogw-bench: \(error)")
    exit(1)
}
