import CPango
import CYUV

extension Picture {
    /// Writes the picture as a PNG file, for tests, documents and probes.
    /// - Returns: whether it was written.
    package func writePNG(to path: String) -> Bool {
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height)) else { return false }
        defer { cairo_surface_destroy(surface) }
        guard let data = cairo_image_surface_get_data(surface) else { return false }
        cairo_surface_flush(surface)
        let from = planes
        let code = I420ToARGB(
            from.y, from.strideY, from.u, from.strideUV, from.v, from.strideUV, data, cairo_image_surface_get_stride(surface),
            Int32(width), Int32(height))
        cairo_surface_mark_dirty(surface)
        return code == 0 && cairo_surface_write_to_png(surface, path) == CAIRO_STATUS_SUCCESS
    }
}
