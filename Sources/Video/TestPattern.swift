/// Pictures that a program makes: one colour, or bars that move with a name and a running number. For headless sites and for tests.
package struct TestPattern: Sendable {
    package enum Kind: Equatable, Sendable {
        /// 0xRRGGBB.
        case colour(UInt32)
        case moving(name: String)
    }

    package let kind: Kind
    package let width: Int
    package let height: Int
    private let name: Overlay?
    private let digits: [Overlay]

    package init(_ kind: Kind, width: Int, height: Int) {
        (self.kind, self.width, self.height) = (kind, width & ~1, height & ~1)
        guard case .moving(let name) = kind else {
            (self.name, digits) = (nil, [])
            return
        }
        let size = max(11, Double(height) / 9)
        self.name = Self.draw(DisplayName.cleaned(name), size: size, maxWidth: Double(width) * 0.8)
        digits = (0..<10).compactMap { Self.draw(String($0), size: size * 0.8, maxWidth: size * 2) }
    }

    /// Picture number `number`, in a picture of the pattern's size.
    package func picture(_ number: Int, pool: PicturePool) -> Picture {
        let picture = pool.take(width: width, height: height)
        draw(number, into: picture)
        return picture
    }

    /// Fills a picture that the caller still owns alone.
    package func draw(_ number: Int, into picture: Picture) {
        switch kind {
        case .colour(let rgb): picture.fill(picture.bounds, with: YUVColour(rgb: rgb))
        case .moving: drawMoving(max(number, 0), into: picture)
        }
    }

    private func drawMoving(_ number: Int, into picture: Picture) {
        let colours = Self.bars
        let bar = max(2, picture.width / colours.count & ~1)
        for (index, colour) in colours.enumerated() {
            let isLast = index == colours.count - 1
            let width = isLast ? picture.width - index * bar : bar
            picture.fill(Rectangle(x: index * bar, y: 0, width: width, height: picture.height), with: colour)
        }
        let side = max(8, picture.height / 5 & ~1)
        let travel = max(2, picture.width - side)
        let place = number * 6 % (2 * travel)
        let x = (place < travel ? place : 2 * travel - place) & ~1
        picture.fill(Rectangle(x: x, y: picture.height / 12 & ~1, width: side, height: side), with: YUVColour(rgb: 0xf2f4f6))
        if let name { name.blend(into: picture, x: (picture.width - name.width) / 2, y: picture.height * 2 / 5, bounds: picture.bounds) }
        drawNumber(number, into: picture)
    }

    /// Six digits from overlays drawn once: no text layout for each picture.
    private func drawNumber(_ number: Int, into picture: Picture) {
        guard digits.count == 10, let wide = digits.map(\.width).max() else { return }
        var (rest, x) = (number, picture.width / 2 + 2 * wide)
        for _ in 0..<6 {
            digits[rest % 10].blend(into: picture, x: x, y: picture.height * 2 / 3, bounds: picture.bounds)
            (rest, x) = (rest / 10, x - wide)
        }
    }

    private static let bars = [0x26405c, 0x2f5d62, 0x3f6b4f, 0x70733f, 0x86654f, 0x7a5766, 0x575f96].map { YUVColour(rgb: $0) }

    private static func draw(_ string: String, size: Double, maxWidth: Double) -> Overlay? {
        PangoFonts.withLock { fonts in
            guard let text = fonts.text(string, size: size, isBold: true, maxWidth: maxWidth) else { return nil }
            guard let drawing = Drawing(width: Int(text.width) + 2, height: Int(text.height)) else { return nil }
            drawing.setColour(Palette.text)
            text.draw(in: drawing, x: 1, y: 0)
            return drawing.overlay()
        }
    }
}
