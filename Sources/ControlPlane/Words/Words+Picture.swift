import MCU

extension PictureWords {
    /// The composed picture is one for all who see it, and they work in Vietnamese.
    package static let usual = PictureWords(waiting: "Đang chờ các điểm cầu…", screen: "Màn hình: ", lost: "Mất tín hiệu")
}
