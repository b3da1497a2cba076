import CPango
import CYUV

/// A transparent Cairo surface on which a label or a card is drawn once; the result is an `Overlay` that costs no drawing any more.
struct Drawing: ~Copyable {
    let width: Int
    let height: Int
    private let surface: OpaquePointer
    let cairo: OpaquePointer

    /// nil where Cairo has no memory.
    init?(width: Int, height: Int) {
        let shape = PictureShape(width: width, height: height)
        (self.width, self.height) = (shape.width, shape.height)
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(shape.width), Int32(shape.height)) else { return nil }
        guard let cairo = cairo_create(surface), cairo_status(cairo) == CAIRO_STATUS_SUCCESS else {
            cairo_surface_destroy(surface)
            return nil
        }
        (self.surface, self.cairo) = (surface, cairo)
    }

    deinit {
        cairo_destroy(cairo)
        cairo_surface_destroy(surface)
    }

    /// - Parameter rgb: 0xRRGGBB.
    func setColour(_ rgb: UInt32, alpha: Double = 1) {
        cairo_set_source_rgba(
            cairo, Double(rgb >> 16 & 0xff) / 255, Double(rgb >> 8 & 0xff) / 255, Double(rgb & 0xff) / 255, alpha)
    }

    func paint(_ rgb: UInt32) {
        setColour(rgb)
        cairo_paint(cairo)
    }

    func fillBox(x: Double, y: Double, width: Double, height: Double, radius: Double) {
        cairo_new_sub_path(cairo)
        cairo_arc(cairo, x + width - radius, y + radius, radius, -.pi / 2, 0)
        cairo_arc(cairo, x + width - radius, y + height - radius, radius, 0, .pi / 2)
        cairo_arc(cairo, x + radius, y + height - radius, radius, .pi / 2, .pi)
        cairo_arc(cairo, x + radius, y + radius, radius, .pi, 1.5 * .pi)
        cairo_close_path(cairo)
        cairo_fill(cairo)
    }

    func fillCircle(x: Double, y: Double, radius: Double) {
        cairo_arc(cairo, x, y, radius, 0, 2 * .pi)
        cairo_fill(cairo)
    }

    /// A crossed-out microphone in a square of side `size`.
    func strokeMutedMark(x: Double, y: Double, size: Double, rgb: UInt32, shade: UInt32) {
        setColour(rgb)
        let middle = x + size / 2
        fillBox(x: middle - size * 0.18, y: y + size * 0.02, width: size * 0.36, height: size * 0.56, radius: size * 0.18)
        cairo_set_line_width(cairo, size * 0.09)
        cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND)
        cairo_arc(cairo, middle, y + size * 0.42, size * 0.31, 0.05 * .pi, 0.95 * .pi)
        cairo_stroke(cairo)
        strokeLine(fromX: middle, y: y + size * 0.7, toX: middle, y: y + size * 0.92)
        setColour(shade)
        cairo_set_line_width(cairo, size * 0.2)
        strokeLine(fromX: x + size * 0.14, y: y + size * 0.06, toX: x + size * 0.86, y: y + size * 0.9)
        setColour(rgb)
        cairo_set_line_width(cairo, size * 0.1)
        strokeLine(fromX: x + size * 0.14, y: y + size * 0.06, toX: x + size * 0.86, y: y + size * 0.9)
    }

    private func strokeLine(fromX: Double, y fromY: Double, toX: Double, y toY: Double) {
        cairo_move_to(cairo, fromX, fromY)
        cairo_line_to(cairo, toX, toY)
        cairo_stroke(cairo)
    }

    /// What was drawn, as I420 and an alpha plane. Cairo's pixels are multiplied by alpha; libyuv's blending wants them plain.
    func overlay() -> Overlay? {
        cairo_surface_flush(surface)
        guard let data = cairo_image_surface_get_data(surface) else { return nil }
        let stride = cairo_image_surface_get_stride(surface)
        let picture = Picture(width: width, height: height)
        let alpha = Picture(width: width, height: height)
        let (to, mask) = (picture.planes, alpha.planes)
        _ = ARGBExtractAlpha(data, stride, mask.y, mask.strideY, Int32(width), Int32(height))
        ScalePlane(
            mask.y, mask.strideY, Int32(width), Int32(height), mask.u, mask.strideUV, Int32(width / 2), Int32(height / 2), kFilterBox)
        _ = ARGBUnattenuate(data, stride, data, stride, Int32(width), Int32(height))
        _ = ARGBToI420(data, stride, to.y, to.strideY, to.u, to.strideUV, to.v, to.strideUV, Int32(width), Int32(height))
        return Overlay(picture: picture, alpha: alpha)
    }
}

/// A finished drawing, to be copied or blended into pictures any number of times.
struct Overlay: Sendable {
    let picture: Picture
    /// 0 is transparent: the luma plane for luma, the U plane for both chroma planes. Made once, since libyuv's own way makes it for each blend.
    let alpha: Picture

    var width: Int { picture.width }
    var height: Int { picture.height }

    /// Blends at an even place; what would lie outside `bounds` is not drawn.
    func blend(into target: Picture, x: Int, y: Int, bounds: Rectangle) {
        let whole = Rectangle(x: x & ~1, y: y & ~1, width: width, height: height)
        let area = whole.intersection(bounds).intersection(Rectangle(x: 0, y: 0, width: target.width, height: target.height))
        guard area.width >= 2, area.height >= 2 else { return }
        let (left, top) = (area.x - whole.x, area.y - whole.y)
        let (from, mask, to) = (picture.planes.at(left, top), alpha.planes.at(left, top), target.planes.at(area.x, area.y))
        let (width, height) = (Int32(area.width & ~1), Int32(area.height & ~1))
        _ = BlendPlane(
            from.y, from.strideY, to.y, to.strideY, mask.y, mask.strideY, to.y, to.strideY, width, height)
        _ = BlendPlane(
            from.u, from.strideUV, to.u, to.strideUV, mask.u, mask.strideUV, to.u, to.strideUV, width / 2, height / 2)
        _ = BlendPlane(
            from.v, from.strideUV, to.v, to.strideUV, mask.u, mask.strideUV, to.v, to.strideUV, width / 2, height / 2)
    }
}
