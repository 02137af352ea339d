/// Where a mark goes, in pixels.
struct WatermarkLayout: Equatable {
    /// The box that the mark has to fit, as large as it may be.
    static func box(_ options: WatermarkOptions, width: Int, height: Int) -> (width: Int, height: Int) {
        let across = max(1, Int((Double(width) * options.scale).rounded()))
        // A tall mark leaves the picture's edges free where there is room for that.
        let room = max(1, height - 2 * options.padding)
        let down = options.fit == .box ? max(1, Int((Double(height) * options.scale).rounded())) : room
        return (min(across, width), min(down, height))
    }

    /// The mark's size in a box: as large as fits, its shape kept.
    static func fit(width: Int, height: Int, into box: (width: Int, height: Int)) -> (width: Int, height: Int) {
        let scale = min(Double(box.width) / Double(max(1, width)), Double(box.height) / Double(max(1, height)))
        return (
            min(box.width, max(1, Int((Double(width) * scale).rounded()))),
            min(box.height, max(1, Int((Double(height) * scale).rounded())))
        )
    }

    /// The top left corner of a mark; inside the picture even where the padding leaves no room.
    static func corner(
        _ options: WatermarkOptions, mark: (width: Int, height: Int), width: Int, height: Int
    ) -> (x: Int, y: Int) {
        let free = (x: max(0, width - mark.width), y: max(0, height - mark.height))
        let padding = (x: min(options.padding, free.x), y: min(options.padding, free.y))
        let x =
            switch options.at {
            case .topLeft, .left, .bottomLeft: padding.x
            case .top, .centre, .bottom, .tile: free.x / 2
            case .topRight, .right, .bottomRight: free.x - padding.x
            }
        let y =
            switch options.at {
            case .topLeft, .top, .topRight: padding.y
            case .left, .centre, .right, .tile: free.y / 2
            case .bottomLeft, .bottom, .bottomRight: free.y - padding.y
            }
        return (x, y)
    }
}
