// One program, two forms. Built with `-sanitize=fuzzer -D OGW_FUZZER` (see scripts/fuzz) it searches for inputs that break a
// target; built plainly it replays files, one input each, which is how a finding is looked at and how the corpus is checked.
// OGW_FUZZ_TARGET names the target.
import Glibc

#if OGW_FUZZER
    exit(FuzzDriver.run())
#else
    exit(Replay.run(CommandLine.arguments.dropFirst().map { $0 }))
#endif
