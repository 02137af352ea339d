/// A preset for one picture, in pixels. Pure arithmetic.
struct VariantPlan: Equatable {
    /// Of the output.
    let width: Int
    let height: Int
    /// What the whole picture is scaled to; the output is cut out of it, or it is laid on the output's ground.
    let scaledWidth: Int
    let scaledHeight: Int

    var crops: Bool { scaledWidth > width || scaledHeight > height }
    var pads: Bool { scaledWidth < width || scaledHeight < height }

    /// `width` and `height` are the picture's, both positive. `scalable` pictures, such as drawings, have no size at
    /// which they are enlarged.
    init(_ preset: VariantPreset, width: Int, height: Int, scalable: Bool = false) {
        let source = (width: Double(width), height: Double(height))
        let enlarges = preset.enlarge || scalable
        let wanted = Self.wanted(preset, source)
        let hasShape = preset.ratio != nil || (preset.width != nil && preset.height != nil)
        let fit = preset.fit ?? (hasShape ? .cover : .inside)
        let (across, down) = (wanted.width / source.width, wanted.height / source.height)
        switch fit {
        case .cover, .fill:
            // Without enlarging, the output is the largest of its shape that the picture has the pixels for.
            let shrink = enlarges ? 1 : min(1, source.width / wanted.width, source.height / wanted.height)
            (self.width, self.height) = (Self.side(wanted.width * shrink), Self.side(wanted.height * shrink))
            if fit == .fill {
                (scaledWidth, scaledHeight) = (self.width, self.height)
            } else {
                let scale = max(Double(self.width) / source.width, Double(self.height) / source.height)
                scaledWidth = max(self.width, Self.side(source.width * scale))
                scaledHeight = max(self.height, Self.side(source.height * scale))
            }
        case .contain:
            let scale = enlarges ? min(across, down) : min(1, across, down)
            (self.width, self.height) = (Self.side(wanted.width), Self.side(wanted.height))
            scaledWidth = min(self.width, Self.side(source.width * scale))
            scaledHeight = min(self.height, Self.side(source.height * scale))
        case .inside, .outside:
            let bound = fit == .inside ? min(across, down) : max(across, down)
            let scale = enlarges ? bound : min(1, bound)
            (self.width, self.height) = (Self.side(source.width * scale), Self.side(source.height * scale))
            (scaledWidth, scaledHeight) = (self.width, self.height)
        }
    }

    /// The size that the preset names, a missing side from the ratio or else from the picture.
    private static func wanted(
        _ preset: VariantPreset, _ source: (width: Double, height: Double)
    ) -> (width: Double, height: Double) {
        let shape = preset.ratio.map { $0.width / $0.height }
        switch (preset.width.map(Double.init), preset.height.map(Double.init)) {
        case (let width?, let height?): return (width, height)
        case (let width?, nil):
            return (width, shape.map { max(1, (width / $0).rounded()) } ?? (width * source.height / source.width))
        case (nil, let height?):
            return (shape.map { max(1, (height * $0).rounded()) } ?? (height * source.width / source.height), height)
        case (nil, nil):
            // The largest of the ratio that the picture holds.
            let shape = shape ?? source.width / source.height
            let width = min(source.width, source.height * shape)
            return (width, width / shape)
        }
    }

    /// The corner at which the output is cut out so that the point, of the scaled picture, is as near to its middle as can be.
    func corner(around point: (x: Double, y: Double)) -> (x: Int, y: Int) {
        func place(_ centre: Double, _ side: Int, _ whole: Int) -> Int {
            min(max(0, Int((centre - Double(side) / 2).rounded())), max(0, whole - side))
        }
        return (place(point.x, width, scaledWidth), place(point.y, height, scaledHeight))
    }

    private static func side(_ pixels: Double) -> Int { min(max(1, Int(min(pixels, 1e6).rounded())), 100_000) }
}
