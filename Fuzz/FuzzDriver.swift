#if OGW_FUZZER
    import Glibc

    typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// libFuzzer's own entry for programs that bring their `main`.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    enum FuzzDriver {
        private static let target = FuzzTarget.chosen

        /// Runs until libFuzzer's limits are reached; its flags come from the command line.
        static func run() -> Int32 {
            guard target != nil else {
                print("OGW_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
                return 2
            }
            var count = CommandLine.argc
            var arguments: Arguments = unsafe CommandLine.unsafeArgv
            // SAFETY: both live until the driver returns; it lends `size` bytes for each call.
            return unsafe runDriver(&count, &arguments) { data, size in
                unsafe FuzzDriver.target?.run([UInt8](UnsafeBufferPointer(start: data, count: size)))
                return 0
            }
        }
    }
#endif
