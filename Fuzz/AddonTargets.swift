import Addons

/// The first byte says how long the boundary is, which comes next; the rest is the body. The parts of a form that is read lie within its
/// body, one behind the other, and their content holds no delimiter.
func fuzzForm(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let length = 1 + Int(first % 70)
    let boundary = Array(input.dropFirst().prefix(length))
    let body = Array(input.dropFirst(1 + length))
    _ = MultipartBody.boundary(of: body)
    guard boundary.count == length, let form = try? MultipartBody(body, boundary: boundary) else { return }
    var end = 0
    for part in form.parts {
        require(part.content.startIndex >= end && part.content.endIndex <= body.count, "a part out of its place")
        end = part.content.endIndex
    }
    _ = try? AddonAnswer(form: form)
}
