import Foundation
import RTP
import Video

/// The same numbers in each run: SplitMix64.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The noise of a sensor.
struct Grain {
    private let normal: [Int]
    private let seed: UInt64
    private static let mask = (1 << 16) - 1
    /// Standard deviations, of 255: of luma and of chroma.
    private static let (luma, chroma) = (3.5, 2.0)

    init(seed: UInt64) {
        var dice = Dice(seed: seed)
        // In 256ths of the standard deviation.
        normal = (0...Self.mask).map { _ in
            let (one, other) = (Double.random(in: 1e-9..<1, using: &dice), Double.random(in: 0..<1, using: &dice))
            return Int((-2 * log(one)).squareRoot() * cos(2 * .pi * other) * 256)
        }
        self.seed = seed
    }

    /// A third of the light, and noise.
    func darken(_ picture: Picture, number: Int) {
        var dice = Dice(seed: seed &+ UInt64(number))
        let planes = picture.planes
        for y in 0..<picture.height {
            let (row, start) = (planes.y + y * Int(planes.strideY), Int.random(in: 0...Self.mask, using: &dice))
            for x in 0..<picture.width {
                row[x] = UInt8(clamping: 20 + (Int(row[x]) - 16) / 3 + noise(start + x, Self.luma))
            }
        }
        for plane in [planes.u, planes.v] {
            for y in 0..<picture.height / 2 {
                let (row, start) = (plane + y * Int(planes.strideUV), Int.random(in: 0...Self.mask, using: &dice))
                for x in 0..<picture.width / 2 {
                    row[x] = UInt8(clamping: 128 + (Int(row[x]) - 128) / 2 + noise(start + x, Self.chroma))
                }
            }
        }
    }

    private func noise(_ place: Int, _ deviation: Double) -> Int { Int((Double(normal[place & Self.mask]) * deviation / 256).rounded()) }
}

/// What a camera goes along: shelves of books with print on their backs, a window with leaves, cloth and plaster.
enum Wall {
    /// Pixels of the sheet for one of the canvas; what is drawn has two units for it. Three, so that a step is no whole number of the quarters in which a
    /// codec reckons.
    static let scale = 3
    private static let height = 1_500.0

    static func draw(width: Double, seed: UInt64) throws -> Sheet {
        var dice = Dice(seed: seed)
        let scale = Double(scale) / 2
        let sheet = try Sheet(width: Int(width * scale), height: Int(height * scale), rgb: 0x9a917f, scale: scale)
        var x = 40.0
        var isWindow = false
        while x < width - 200 {
            let wide = Double.random(in: 420..<760, using: &dice)
            isWindow ? leaves(sheet, x, wide, &dice) : shelves(sheet, x, wide, &dice)
            x += wide + Double.random(in: 40..<160, using: &dice)
            isWindow.toggle()
        }
        // Plaster: coarse and fine grain that stays where it is.
        let coarse = (0..<4_096).map { _ in Int.random(in: -9...9, using: &dice) }
        let fine = (0..<8_191).map { _ in Int.random(in: -7...7, using: &dice) }
        sheet.shade { x, y in coarse[(x / 9 &* 31 &+ y / 9 &* 977) & 4_095] + fine[(x &+ y &* 3_571) % 8_191] }
        return sheet
    }

    private static func shelves(_ sheet: Sheet, _ left: Double, _ wide: Double, _ dice: inout Dice) {
        sheet.setColour(0x4a3524)
        sheet.box(left, 30, wide, height - 60)
        for shelf in 0..<6 {
            let floor = 250 + Double(shelf) * 235
            sheet.setColour(0x2c1f15)
            sheet.box(left + 10, floor - 205, wide - 20, 200)
            var x = left + 14
            while x < left + wide - 60 {
                let (thick, high) = (Double.random(in: 14..<46, using: &dice), Double.random(in: 130..<196, using: &dice))
                sheet.setColour(UInt32.random(in: 0..<0x100_0000, using: &dice) & 0xbfbfbf | 0x202020)
                sheet.box(x, floor - high - 5, thick - 2, high)
                sheet.setColour(0xe8e0c8, alpha: 0.8)
                sheet.box(x + 2, floor - high + 14, thick - 6, 3)
                if thick > 24 { sheet.text("T\(Int.random(in: 1...99, using: &dice))", x: x + 2, y: floor - 60, size: 16) }
                x += thick
            }
        }
    }

    private static func leaves(_ sheet: Sheet, _ left: Double, _ wide: Double, _ dice: inout Dice) {
        sheet.setColour(0xc9dbe6)
        sheet.box(left, 120, wide, height - 420)
        for _ in 0..<2_600 {
            let green = UInt32.random(in: 0x40...0xb0, using: &dice)
            sheet.setColour(green / 2 << 16 | green << 8 | green / 3, alpha: 0.9)
            sheet.disc(
                Double.random(in: left + 16..<left + wide - 16, using: &dice),
                Double.random(in: 150..<height - 340, using: &dice), width: Double.random(in: 10..<42, using: &dice),
                height: Double.random(in: 4..<14, using: &dice), turned: Double.random(in: 0..<3.1, using: &dice))
        }
        sheet.setColour(0xefebe2)
        for bar in 0...2 { sheet.box(left + Double(bar) * (wide - 16) / 2, 120, 16, height - 420) }
        for stripe in 0..<40 {
            sheet.setColour(stripe % 2 == 0 ? 0x6b3f3a : 0xb9a58a)
            sheet.box(left, height - 280 + Double(stripe) * 6, wide, 6)
        }
    }
}

/// A page that somebody shares: a title, small print, a table, bars.
enum Page: Int {
    case first, second

    /// Where the letters of 12 pixels are.
    static let smallPrint = Rectangle(x: 56, y: 112, width: 560, height: 232)

    func draw() throws -> Sheet {
        let sheet = try Sheet(width: 1_280, height: 720, rgb: rawValue == 0 ? 0xffffff : 0xfdfbf4)
        sheet.setColour(0x1c3c6e)
        sheet.box(0, 0, 1_280, 76)
        sheet.setColour(0xffffff)
        sheet.text(rawValue == 0 ? "Tình hình mưa lũ các tỉnh miền núi" : "Kế hoạch ứng phó tuần tới", x: 56, y: 16, size: 30, isBold: true)
        sheet.setColour(0x1a1a1a)
        let lines = rawValue == 0 ? Self.report : Self.plan
        for line in 0..<13 { sheet.text(lines[line % lines.count], x: 60, y: 116 + 17.5 * Double(line), size: 12) }
        for line in 0..<5 { sheet.text(lines[line], x: 60, y: 380 + 24 * Double(line), size: 16) }
        drawTable(sheet)
        drawBars(sheet)
        return sheet
    }

    private func drawTable(_ sheet: Sheet) {
        let names = ["Hà Giang", "Lào Cai", "Yên Bái", "Sơn La", "Điện Biên", "Lai Châu", "Nghệ An", "Kon Tum", "Đắk Lắk", "Gia Lai"]
        for (row, name) in names.enumerated() {
            let y = 124 + 26 * Double(row)
            sheet.setColour(row % 2 == 0 ? 0xe6eef7 : 0xffffff)
            sheet.box(680, y, 540, 26)
            sheet.setColour(0x202020)
            sheet.text(name, x: 690, y: y + 4, size: 12)
            for column in 0..<5 {
                sheet.text(
                    "\((row * 37 + column * 91 + rawValue * 53) % 900 + 12),\(row)", x: 800 + 84 * Double(column), y: y + 4, size: 12)
            }
            sheet.setColour(0xb0bccb)
            sheet.box(680, y, 540, 1)
        }
    }

    private func drawBars(_ sheet: Sheet) {
        let colours: [UInt32] = [0xc0392b, 0x2e86c1, 0x27ae60, 0xd68910]
        for bar in 0..<16 {
            let high = Double((bar * 53 + rawValue * 29) % 170 + 20)
            sheet.setColour(colours[bar % colours.count])
            sheet.box(690 + 33 * Double(bar), 640 - high, 24, high)
            sheet.setColour(0x404040)
            sheet.text("\(Int(high))", x: 692 + 33 * Double(bar), y: 646, size: 12)
        }
    }

    private static let report = [
        "1. Lượng mưa từ ngày 12 đến 15/9 phổ biến 180–320 mm, có nơi trên 450 mm (trạm Bắc Quang).",
        "2. Mực nước sông Lô tại Vĩnh Tuy lên 31,6 m, dưới báo động III 0,4 m; dự báo đạt đỉnh lúc 3 giờ.",
        "3. Sạt lở tại 47 điểm trên quốc lộ 4C, 279 và 34; hai điểm cầu mất liên lạc từ 22 giờ 15 phút.",
        "4. Đã di dời 1.286 hộ (5.419 người) khỏi vùng nguy hiểm; 12 trường học làm nơi ở tạm.",
        "5. Đề nghị: bổ sung 8 máy phát điện, 3 xuồng cao tốc, 40 tấn gạo, thuốc khử khuẩn nước.",
    ]
    private static let plan = [
        "a) Trực ban 24/24 giờ; báo cáo nhanh lúc 6 giờ, 11 giờ, 17 giờ và 22 giờ hằng ngày (biểu số 3).",
        "b) Kiểm tra hồ chứa Nậm Ngần, Sông Bạc, Thái An; vận hành đúng quy trình đã được phê duyệt.",
        "c) Các huyện Mèo Vạc, Đồng Văn, Yên Minh rà soát 92 hộ dưới taluy dương trước ngày 20/9.",
        "d) Bảo đảm thông tin liên lạc: 2 xe thông tin vệ tinh, 16 máy Inmarsat, pin dự phòng 72 giờ.",
        "đ) Khôi phục giao thông bước 1 trên quốc lộ 34 (km 68+400 ÷ km 71+150) chậm nhất ngày 19/9.",
    ]
}
