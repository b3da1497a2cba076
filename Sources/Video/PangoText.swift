import Base
import CPango
import Foundation
import RTP

/// The fonts, and the right to use Pango: its objects are of one thread at a time, so everything that makes or draws text holds this.
struct PangoFonts: @unchecked Sendable {
    private static let shared = Guarded(PangoFonts())
    /// Ours, because Pango's own default map is per thread and each would read all font files anew.
    private let map = pango_cairo_font_map_new()

    static func withLock<Result: Sendable>(_ body: (PangoFonts) -> Result) -> Result { shared.withLock { body($0) } }

    /// - Parameter size: the height of the font in pixels.
    /// - Parameter maxWidth: in pixels; what is longer ends in "…".
    func text(_ text: String, size: Double, isBold: Bool = false, maxWidth: Double) -> PangoText? {
        guard let map, let context = pango_font_map_create_context(map) else { return nil }
        defer { nc_g_object_unref(UnsafeMutableRawPointer(context)) }
        guard let layout = pango_layout_new(context) else { return nil }
        let font = pango_font_description_from_string("Noto Sans, DejaVu Sans, sans-serif")
        pango_font_description_set_absolute_size(font, size * Double(PANGO_SCALE))
        pango_font_description_set_weight(font, isBold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_MEDIUM)
        pango_layout_set_font_description(layout, font)
        pango_font_description_free(font)
        pango_layout_set_single_paragraph_mode(layout, 1)
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END)
        pango_layout_set_width(layout, Int32(max(maxWidth, 1) * Double(PANGO_SCALE)))
        pango_layout_set_height(layout, -1)  // one line
        pango_layout_set_text(layout, text, -1)
        return PangoText(layout: layout)
    }
}

/// One line of text, laid out. Lives inside `PangoFonts.withLock`.
struct PangoText: ~Copyable {
    private let layout: OpaquePointer
    let width: Double
    let height: Double

    fileprivate init(layout: OpaquePointer) {
        self.layout = layout
        var (width, height) = (Int32(0), Int32(0))
        pango_layout_get_pixel_size(layout, &width, &height)
        (self.width, self.height) = (Double(width), Double(height))
    }

    deinit { nc_g_object_unref(UnsafeMutableRawPointer(layout)) }

    /// Draws in the drawing's colour with the top left corner at a place.
    func draw(in drawing: borrowing Drawing, x: Double, y: Double) {
        cairo_move_to(drawing.cairo, x, y)
        pango_cairo_show_layout(drawing.cairo, layout)
    }
}

/// A name as it can be drawn, whatever a stranger wrote.
enum DisplayName {
    /// Enough for any place in the country; a bound for those who send a book.
    static let mostScalars = 160

    /// NFC, so that both spellings of Vietnamese look and cache alike; controls, line breaks and direction overrides are spaces.
    static func cleaned(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(4 * mostScalars) { scalars.append(isDrawable(scalar) ? scalar : " ") }
        let composed = String(scalars).precomposedStringWithCanonicalMapping.unicodeScalars.prefix(mostScalars)
        return String(String.UnicodeScalarView(composed)).split(separator: " ").joined(separator: " ")
    }

    private static func isDrawable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned, .spaceSeparator: false
        case .format: scalar == "\u{200c}" || scalar == "\u{200d}"  // the joiners that Khmer and Cham need
        default: true
        }
    }

    /// The first letters of the first and the last word: "Bà Rịa – Vũng Tàu" is "BT".
    static func initials(_ cleaned: String) -> String {
        let words = cleaned.split(separator: " ").filter { $0.first.map { $0.isLetter || $0.isNumber } ?? false }
        let letters = [words.first?.first, words.count > 1 ? words.last?.first : nil].compactMap { $0 }
        return String(letters).uppercased()
    }
}
