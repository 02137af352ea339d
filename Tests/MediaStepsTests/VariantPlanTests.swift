import Testing

@testable import MediaSteps

@Suite struct VariantPlanTests {
    private func preset(_ change: (inout VariantPreset) -> Void) -> VariantPreset {
        var preset = VariantPreset()
        change(&preset)
        return preset
    }

    private func ratio(_ width: Double, _ height: Double) -> VariantPreset.Ratio { .init(width, to: height) }

    private func sizes(_ plan: VariantPlan) -> [Int] { [plan.width, plan.height, plan.scaledWidth, plan.scaledHeight] }

    @Test func `The three shapes of a campaign have their exact sizes`() {
        let square = preset { ($0.ratio, $0.width) = (ratio(1, 1), 1080) }
        let story = preset { ($0.ratio, $0.width) = (ratio(9, 16), 1080) }
        let wide = preset { ($0.ratio, $0.width) = (ratio(16, 9), 1920) }
        #expect(sizes(VariantPlan(square, width: 4000, height: 3000)) == [1080, 1080, 1440, 1080])
        #expect(sizes(VariantPlan(story, width: 4000, height: 3000)) == [1080, 1920, 2560, 1920])
        #expect(sizes(VariantPlan(wide, width: 4000, height: 3000)) == [1920, 1080, 1920, 1440])
    }

    @Test func `A picture too small gives the largest of the same shape`() {
        let story = preset { ($0.width, $0.height) = (1080, 1920) }
        #expect(sizes(VariantPlan(story, width: 800, height: 600)) == [338, 600, 800, 600])
        let enlarged = preset { ($0.width, $0.height, $0.enlarge) = (1080, 1920, true) }
        #expect(sizes(VariantPlan(enlarged, width: 800, height: 600)) == [1080, 1920, 2560, 1920])
        let fill = preset { ($0.width, $0.height, $0.fit) = (1000, 1000, .fill) }
        #expect(sizes(VariantPlan(fill, width: 100, height: 50)) == [50, 50, 50, 50])
    }

    @Test func `A drawing has no size at which it is enlarged`() {
        let square = preset { ($0.width, $0.height) = (1000, 1000) }
        #expect(sizes(VariantPlan(square, width: 10, height: 5, scalable: true)) == [1000, 1000, 2000, 1000])
    }

    @Test func `Each fit has its shape`() {
        func plan(_ fit: VariantPreset.Fit) -> [Int] {
            sizes(VariantPlan(preset { ($0.width, $0.height, $0.fit) = (100, 100, fit) }, width: 400, height: 200))
        }
        #expect(plan(.cover) == [100, 100, 200, 100])
        #expect(plan(.contain) == [100, 100, 100, 50])
        #expect(plan(.fill) == [100, 100, 100, 100])
        #expect(plan(.inside) == [100, 50, 100, 50])
        #expect(plan(.outside) == [200, 100, 200, 100])
    }

    @Test func `One side alone keeps the shape, and a ratio alone crops only`() {
        #expect(sizes(VariantPlan(preset { $0.width = 100 }, width: 400, height: 200)) == [100, 50, 100, 50])
        #expect(sizes(VariantPlan(preset { $0.height = 100 }, width: 400, height: 200)) == [200, 100, 200, 100])
        #expect(sizes(VariantPlan(preset { $0.ratio = ratio(1, 1) }, width: 400, height: 200)) == [200, 200, 400, 200])
    }

    @Test func `Whatever the sizes, the output lies within what is scaled, or around it`() {
        let sides = [1, 2, 3, 7, 100, 101, 999, 1080, 4000, 9999]
        for width in sides {
            for height in sides {
                for wanted in [1, 33, 1080, 5000] {
                    for fit in [VariantPreset.Fit.cover, .contain, .fill, .inside, .outside] {
                        for enlarge in [false, true] {
                            let preset = preset {
                                ($0.width, $0.height, $0.fit, $0.enlarge) = (wanted, wanted * 2, fit, enlarge)
                            }
                            let plan = VariantPlan(preset, width: width, height: height)
                            #expect(
                                plan.width >= 1 && plan.height >= 1 && plan.scaledWidth >= 1 && plan.scaledHeight >= 1)
                            #expect(!(plan.crops && plan.pads))
                            if fit == .cover {
                                #expect(plan.scaledWidth >= plan.width && plan.scaledHeight >= plan.height)
                            }
                            if !enlarge && fit != .contain { #expect(plan.width <= width && plan.height <= height) }
                            if enlarge && fit == .cover { #expect(plan.width == wanted && plan.height == wanted * 2) }
                        }
                    }
                }
            }
        }
    }

    @Test func `A crop is put around its point, and stays inside`() {
        let plan = VariantPlan(preset { ($0.width, $0.height) = (100, 100) }, width: 400, height: 200)
        func left(_ x: Double) -> Int { plan.corner(around: (x, 50)).x }
        #expect([left(0), left(70), left(100), left(131), left(200)] == [0, 20, 50, 81, 100])
    }
}

@Suite struct WatermarkLayoutTests {
    private func corner(_ place: WatermarkOptions.Place, padding: Int = 10) -> [Int] {
        var options = WatermarkOptions(logo: "logo.png")
        (options.at, options.padding) = (place, padding)
        let corner = WatermarkLayout.corner(options, mark: (20, 10), width: 200, height: 100)
        return [corner.x, corner.y]
    }

    @Test func `The nine places`() {
        #expect(corner(.topLeft) == [10, 10] && corner(.top) == [90, 10] && corner(.topRight) == [170, 10])
        #expect(corner(.left) == [10, 45] && corner(.centre) == [90, 45] && corner(.right) == [170, 45])
        #expect(corner(.bottomLeft) == [10, 80] && corner(.bottom) == [90, 80] && corner(.bottomRight) == [170, 80])
    }

    @Test func `Padding without room for it leaves the mark inside`() {
        #expect(corner(.topRight, padding: 1_000) == [0, 90])
        #expect(corner(.bottomLeft, padding: 1_000) == [180, 0])
    }

    @Test func `By width a logo is as wide as the scale says, in a box as large as fits both sides`() {
        var options = WatermarkOptions(logo: "logo.png")
        let byWidth = WatermarkLayout.box(options, width: 1000, height: 500)
        #expect(WatermarkLayout.fit(width: 100, height: 100, into: byWidth) == (200, 200))
        options.fit = .box
        let box = WatermarkLayout.box(options, width: 1000, height: 500)
        #expect(box == (200, 100))
        #expect(WatermarkLayout.fit(width: 100, height: 100, into: box) == (100, 100))
        #expect(WatermarkLayout.fit(width: 400, height: 100, into: box) == (200, 50))
    }

    @Test func `The smallest picture still has a mark of a pixel`() {
        let box = WatermarkLayout.box(WatermarkOptions(logo: "logo.png"), width: 1, height: 1)
        #expect(WatermarkLayout.fit(width: 500, height: 3, into: box) == (1, 1))
    }
}
