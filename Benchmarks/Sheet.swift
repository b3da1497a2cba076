import CPango
import CYUV
import Video

/// A surface to draw a scene on. One thread's, as Pango's objects are.
final class Sheet {
    let width: Int
    let height: Int
    private let surface: OpaquePointer
    private let cairo: OpaquePointer

    /// - Parameter scale: pixels for one unit of what is drawn.
    init(width: Int, height: Int, rgb: UInt32, scale: Double = 1) throws {
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height)), let cairo = cairo_create(surface)
        else { throw BenchError(description: "Cairo has no memory for a scene") }
        self.width = width
        self.height = height
        self.surface = surface
        self.cairo = cairo
        setColour(rgb)
        cairo_paint(cairo)
        cairo_scale(cairo, scale, scale)
    }

    deinit {
        cairo_destroy(cairo)
        cairo_surface_destroy(surface)
    }

    /// - Parameter rgb: 0xRRGGBB.
    func setColour(_ rgb: UInt32, alpha: Double = 1) {
        cairo_set_source_rgba(cairo, Double(rgb >> 16 & 0xff) / 255, Double(rgb >> 8 & 0xff) / 255, Double(rgb & 0xff) / 255, alpha)
    }

    func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        cairo_rectangle(cairo, x, y, width, height)
        cairo_fill(cairo)
    }

    func disc(_ x: Double, _ y: Double, width: Double, height: Double, turned: Double) {
        cairo_save(cairo)
        cairo_translate(cairo, x, y)
        cairo_rotate(cairo, turned)
        cairo_scale(cairo, width / 2, height / 2)
        cairo_arc(cairo, 0, 0, 1, 0, 2 * .pi)
        cairo_restore(cairo)
        cairo_fill(cairo)
    }

    /// One line; `size` is the height of the font in pixels.
    func text(_ string: String, x: Double, y: Double, size: Double, isBold: Bool = false) {
        guard let layout = pango_cairo_create_layout(cairo) else { return }
        defer { nc_g_object_unref(UnsafeMutableRawPointer(layout)) }
        let font = pango_font_description_from_string("Noto Sans, DejaVu Sans, sans-serif")
        pango_font_description_set_absolute_size(font, size * Double(PANGO_SCALE))
        if isBold { pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD) }
        pango_layout_set_font_description(layout, font)
        pango_font_description_free(font)
        pango_layout_set_text(layout, string, -1)
        cairo_move_to(cairo, x, y)
        pango_cairo_show_layout(cairo, layout)
    }

    /// Adds `shade` to each pixel's red, green and blue.
    func shade(_ shade: (_ x: Int, _ y: Int) -> Int) {
        cairo_surface_flush(surface)
        guard let data = cairo_image_surface_get_data(surface) else { return }
        let stride = Int(cairo_image_surface_get_stride(surface))
        for y in 0..<height {
            for x in 0..<width {
                let more = shade(x, y)
                for channel in 0..<3 {
                    let place = y * stride + 4 * x + channel
                    data[place] = UInt8(clamping: Int(data[place]) + more)
                }
            }
        }
        cairo_surface_mark_dirty(surface)
    }

    /// A part of the sheet, in a picture of another size: each pixel is the mean of those that it covers, as on the sensor of a camera.
    func picture(x: Int, y: Int, width partWidth: Int, height partHeight: Int, as size: (width: Int, height: Int)) throws -> Picture {
        cairo_surface_flush(surface)
        guard x >= 0, y >= 0, x + partWidth <= width, y + partHeight <= height, let data = cairo_image_surface_get_data(surface) else {
            throw BenchError(description: "a scene shows what lies beside its sheet")
        }
        let stride = cairo_image_surface_get_stride(surface)
        let picture = Picture(width: size.width, height: size.height)
        let to = picture.planes
        var small = [UInt8](repeating: 0, count: 4 * size.width * size.height)
        let code = small.withUnsafeMutableBufferPointer { small in
            ARGBScale(
                data + y * Int(stride) + 4 * x, stride, Int32(partWidth), Int32(partHeight), small.baseAddress, Int32(4 * size.width),
                Int32(size.width), Int32(size.height), kFilterBox)
                | ARGBToI420(
                    small.baseAddress, Int32(4 * size.width), to.y, to.strideY, to.u, to.strideUV, to.v, to.strideUV, Int32(size.width),
                    Int32(size.height))
        }
        guard code == 0 else { throw BenchError(description: "libyuv does not take a scene's sheet") }
        return picture
    }
}
