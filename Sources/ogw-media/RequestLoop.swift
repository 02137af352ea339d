import FoundationEssentials
import Glibc
import MediaSteps

/// Answers requests one by one until standard input ends, which it does when the supervisor does.
struct RequestLoop {
    /// Bytes of a request's line, and of the file behind it.
    static let lineBytesMax = 64 << 10
    static let fileBytesMax = 1 << 30

    private let input: StandardInput
    private let output: Output

    init(input: StandardInput, output: Output) {
        self.input = input
        self.output = output
    }

    /// Returns the exit status: 0 at the end of input, 2 when the input is not a request, after which nothing more can be understood.
    func run() -> Int32 {
        while true {
            guard let line = input.readLine(bytesMax: Self.lineBytesMax) else { return input.reachedEnd ? 0 : 2 }
            let request: Request
            do {
                request = try JSONDecoder().decode(Request.self, from: Data(line))
            } catch {
                send(Answer(id: nil, error: "not a request", permanent: true, length: 0), [])
                return 2
            }
            guard request.length >= 0, request.length <= Self.fileBytesMax, let file = input.read(request.length) else {
                send(Answer(id: request.id, error: "its length is out of range", permanent: true, length: 0), [])
                return 2
            }
            answer(request, file)
        }
    }

    private func answer(_ request: Request, _ file: [UInt8]) {
        do {
            switch request.operation {
            case .probe:
                send(Answer(id: request.id, image: try MediaProbe.image(file), length: 0), [])
            case .thumbnail:
                let jpeg = try MediaThumbnail.jpeg(file, width: request.width ?? 256, height: request.height ?? 256)
                send(Answer(id: request.id, length: jpeg.count), jpeg)
            }
        } catch {
            send(Answer(id: request.id, error: "\(error)", permanent: true, length: 0), [])
        }
    }

    private func send(_ answer: Answer, _ bytes: [UInt8]) {
        guard let line = try? JSONEncoder().encode(answer) else { return }
        output.write(Array(line) + [0x0a] + bytes)
    }
}
