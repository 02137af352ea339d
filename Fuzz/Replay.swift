#if !OGW_FUZZER
    import Glibc

    /// Runs the chosen target over files.
    enum Replay {
        /// The exit code: 0 when every file went through, 2 when there was nothing to do. A finding ends the process.
        static func run(_ paths: [String]) -> Int32 {
            guard let target = FuzzTarget.chosen, !paths.isEmpty else {
                let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
                print("Replays inputs: OGW_FUZZ_TARGET=\(names) ogw-fuzz FILE...")
                return 2
            }
            for path in paths {
                guard let bytes = read(path) else {
                    print("\(path): cannot be read")
                    return 2
                }
                target.run(bytes)
            }
            print("\(target.rawValue): \(paths.count) inputs")
            return 0
        }

        private static func read(_ path: String) -> [UInt8]? {
            guard let file = unsafe fopen(path, "rb") else { return nil }
            // SAFETY: closed once, and not used after.
            defer { unsafe fclose(file) }
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = unsafe fread(&piece, 1, piece.count, file)
                if count == 0 { return bytes }
                bytes += piece[..<count]
            }
        }
    }
#endif
