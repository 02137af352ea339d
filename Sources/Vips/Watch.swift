import CVips

/// Is asked while pixels are made, on whatever thread makes them, and can end the work.
public final class Watch {
    /// Gets a fraction from 0 to 1; false ends the work.
    private let goesOn: (Double) -> Bool
    public private(set) var wasStopped = false

    public init(_ goesOn: @escaping (Double) -> Bool) { self.goesOn = goesOn }

    /// Watches nothing.
    public static var none: Watch { Watch { _ in true } }

    /// Runs `body`, which makes the pixels of `picture`.
    func during<Result>(_ picture: Picture, _ body: () -> Result) -> Result {
        // SAFETY: this object and the watcher outlive the body; the handler is taken off before they go. libvips emits the
        // signal on the thread that runs the evaluation, which is this one.
        var watcher = unsafe cvips_watcher(
            watch: { context, percent in
                guard let context = unsafe context else { return 0 }
                return unsafe Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue().ask(percent) ? 0 : 1
            }, context: Unmanaged.passUnretained(self).toOpaque())
        return unsafe withUnsafeMutablePointer(to: &watcher) { pointer in
            let handler = unsafe cvips_watch(picture.image, pointer)
            defer { unsafe cvips_unwatch(picture.image, handler) }
            return body()
        }
    }

    /// Asks once more when all is made: the thread that asks may get to run only after those that make the pixels are done,
    /// and an encoder asks nothing while it writes.
    func finish() throws(VipsError) {
        guard ask(100) else { throw .stopped }
    }

    func failure(_ operation: String) -> VipsError {
        let text = VipsLibrary.takeErrorText()
        return wasStopped ? .stopped : .failed(operation: operation, text)
    }

    private func ask(_ percent: Int32) -> Bool {
        if !wasStopped, !goesOn(Double(min(100, max(0, percent))) / 100) { wasStopped = true }
        return !wasStopped
    }
}
