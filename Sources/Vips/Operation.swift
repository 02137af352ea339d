import CVips
import Glibc

/// One call of a libvips operation by its name and the names of its arguments, which `vips OPERATION` prints. A name that
/// the library does not have makes `run` fail.
@safe public final class Operation {
    public let name: String
    private var operation: UnsafeMutablePointer<VipsOperation>?
    private var ran = false
    private var refusal: String?

    public init(_ name: String) {
        self.name = name
        unsafe operation = vips_operation_new(name)
        if unsafe operation == nil { refusal = VipsLibrary.takeErrorText() }
    }

    deinit {
        // SAFETY: made in init and given up once; images that were asked for keep what they need.
        if let operation = unsafe operation { unsafe cvips_end(operation, ran ? 1 : 0) }
    }

    @discardableResult public func set(_ key: String, _ value: Int) -> Operation {
        if let operation = unsafe operation { unsafe cvips_set_int(operation, key, Int32(clamping: value)) }
        return self
    }

    @discardableResult public func set(_ key: String, _ value: Bool) -> Operation { set(key, value ? 1 : 0) }

    @discardableResult public func set(_ key: String, _ value: Double) -> Operation {
        if let operation = unsafe operation { unsafe cvips_set_double(operation, key, value) }
        return self
    }

    /// Text, or the nickname of an enumeration's value: see `choose`.
    @discardableResult public func set(_ key: String, _ value: String) -> Operation {
        if let operation = unsafe operation { unsafe cvips_set_string(operation, key, value) }
        return self
    }

    /// An enumeration's value by its nickname, such as "attention".
    @discardableResult public func choose(_ key: String, _ nickname: String) -> Operation {
        if let operation = unsafe operation, unsafe cvips_set_enum(operation, key, nickname) != 0 {
            refusal = VipsLibrary.takeErrorText()
        }
        return self
    }

    @discardableResult public func set(_ key: String, _ picture: Picture) -> Operation {
        if let operation = unsafe operation { unsafe cvips_set_image(operation, key, picture.image) }
        return self
    }

    @discardableResult public func set(_ key: String, _ pictures: [Picture]) -> Operation {
        guard let operation = unsafe operation else { return self }
        var images: [UnsafeMutablePointer<VipsImage>?] = unsafe pictures.map { unsafe $0.image }
        // SAFETY: the array is lent for the call, which takes references of its own.
        unsafe cvips_set_images(operation, key, &images, Int32(clamping: pictures.count))
        return self
    }

    @discardableResult public func set(_ key: String, _ values: [Double]) -> Operation {
        if let operation = unsafe operation {
            unsafe cvips_set_doubles(operation, key, values, Int32(clamping: values.count))
        }
        return self
    }

    /// The bytes are copied.
    @discardableResult public func set(_ key: String, bytes: [UInt8]) -> Operation {
        if let operation = unsafe operation { unsafe cvips_set_bytes(operation, key, bytes, bytes.count) }
        return self
    }

    /// Runs the operation. Pixels are made when they are asked for, by an operation that writes them.
    @discardableResult public func run() throws(VipsError) -> Operation {
        guard let operation = unsafe operation, refusal == nil else {
            throw .missing(refusal ?? name)
        }
        guard unsafe cvips_run(operation) == 0 else {
            throw .failed(operation: name, VipsLibrary.takeErrorText())
        }
        ran = true
        return self
    }

    /// Runs the operation for the picture that it makes.
    public func picture(_ key: String = "out") throws(VipsError) -> Picture {
        try run()
        guard let operation = unsafe operation, let image = unsafe cvips_output_image(operation, key) else {
            throw .failed(operation: name, "no output \(key)")
        }
        return unsafe Picture(owning: image)
    }

    /// A number that the operation has found; after `run`.
    public func int(_ key: String) -> Int {
        guard ran, let operation = unsafe operation else { return 0 }
        return Int(unsafe cvips_output_int(operation, key))
    }

    public func double(_ key: String) -> Double {
        guard ran, let operation = unsafe operation else { return 0 }
        return unsafe cvips_output_double(operation, key)
    }
}
