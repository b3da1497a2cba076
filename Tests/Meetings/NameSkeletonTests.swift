import Foundation
import Testing

@testable import Meetings

private func unique(_ name: String, among others: [String]) -> String {
    var index = NameIndex()
    for other in others { index.add(other, of: UUID()) }
    return index.unique(name, for: UUID())
}

struct NameSkeletonTests {
    @Test(arguments: [
        ("Lai Châu", "LAI CHÂU"), ("Lai Châu", "Lаi Сhâu"), ("Lai Châu", "Lai\u{200b} Châu"), ("Lai Châu", "Ｌａｉ Ｃｈâｕ"),
        ("Lai Châu", "Lai  Cha\u{302}u"),
        ("Hà Nội", "Hà Nộі"), ("Sơn La", "Sơn-Lα"), ("Bộ Y tế", "Bộ Υ tế"), ("Site 10", "Site lO"), ("Paypal", "Paypa1"), ("ABC", "𝐀𝐁𝐂"),
    ])
    func `names that look alike have one skeleton`(one: String, other: String) {
        #expect(NameSkeleton.of(one) == NameSkeleton.of(other))
        #expect(unique(other, among: ["Sóc Trăng", one]) == "\(other) (2)")
        #expect(unique(other, among: [one, "\(one) (2)"]) == "\(other) (3)")
    }

    @Test(arguments: [
        ("Lai Châu", "Lai Chau"), ("Hà Giang", "Hậu Giang"), ("Bắc Kạn", "Bắc Cạn"), ("Đắk Lắk", "Dak Lak"), ("Điểm cầu 2", "Điểm cầu 3"),
    ])
    func `names that the eye tells apart stay as they are`(one: String, other: String) {
        #expect(NameSkeleton.of(one) != NameSkeleton.of(other) && unique(other, among: [one]) == other)
    }

    @Test func `a name is free again when the last who has it leaves, and one's own is never taken`() {
        var index = NameIndex()
        let (mine, theirs) = (UUID(), UUID())
        for _ in 0..<2 { index.add("Lai Châu", of: mine) }
        #expect(index.unique("LAI CHÂU", for: mine) == "LAI CHÂU" && index.unique("LAI CHÂU", for: theirs) == "LAI CHÂU (2)")
        index.remove("Lai Châu", of: mine)
        index.remove("Lai Châu", of: theirs)
        #expect(index.unique("Lai Châu", for: theirs) == "Lai Châu (2)")
        index.remove("Lаi Сhâu", of: mine)
        #expect(index.unique("Lai Châu", for: theirs) == "Lai Châu")
    }
}
