/// A colour in BT.601 limited range, as VP8 carries it.
package struct YUVColour: Hashable, Sendable {
    package var y: UInt8
    package var u: UInt8
    package var v: UInt8

    package init(y: UInt8, u: UInt8, v: UInt8) { (self.y, self.u, self.v) = (y, u, v) }

    /// - Parameter rgb: 0xRRGGBB.
    package init(rgb: UInt32) {
        self.init(red: Int(rgb >> 16 & 0xff), green: Int(rgb >> 8 & 0xff), blue: Int(rgb & 0xff))
    }

    /// BT.601 in 8-bit fixed point; components 0…255.
    init(red: Int, green: Int, blue: Int) {
        y = UInt8(clamping: (66 * red + 129 * green + 25 * blue + 128) >> 8 + 16)
        u = UInt8(clamping: (-38 * red - 74 * green + 112 * blue + 128) >> 8 + 128)
        v = UInt8(clamping: (112 * red - 94 * green - 18 * blue + 128) >> 8 + 128)
    }

    static let black = YUVColour(y: 16, u: 128, v: 128)
}
