import Meetings
import Testing

struct NameSkeletonTests {
    @Test(arguments: [
        ("Lai Châu", "LAI CHÂU"), ("Lai Châu", "Lаi Сhâu"), ("Lai Châu", "Lai\u{200b} Châu"), ("Lai Châu", "Ｌａｉ Ｃｈâｕ"),
        ("Lai Châu", "Lai  Cha\u{302}u"),
        ("Hà Nội", "Hà Nộі"), ("Sơn La", "Sơn-Lα"), ("Bộ Y tế", "Bộ Υ tế"), ("Site 10", "Site lO"), ("Paypal", "Paypa1"), ("ABC", "𝐀𝐁𝐂"),
    ])
    func `names that look alike have one skeleton`(one: String, other: String) {
        #expect(NameSkeleton.of(one) == NameSkeleton.of(other))
        #expect(NameSkeleton.unique(other, among: ["Sóc Trăng", one]) == "\(other) (2)")
        #expect(NameSkeleton.unique(other, among: [one, "\(one) (2)"]) == "\(other) (3)")
    }

    @Test(arguments: [
        ("Lai Châu", "Lai Chau"), ("Hà Giang", "Hậu Giang"), ("Bắc Kạn", "Bắc Cạn"), ("Đắk Lắk", "Dak Lak"), ("Điểm cầu 2", "Điểm cầu 3"),
    ])
    func `names that the eye tells apart stay as they are`(one: String, other: String) {
        #expect(NameSkeleton.of(one) != NameSkeleton.of(other) && NameSkeleton.unique(other, among: [one]) == other)
    }
}
