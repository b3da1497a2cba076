import Meetings

// The catalogue: Vietnamese first, English second, each a title and what to do.
extension Words {
    /// Why a value was not taken, as the end of a sentence.
    static func reason(_ reason: ValidationFault.Reason, in language: Language) -> String {
        let pair: (vi: String, en: String) =
            switch reason {
            case .empty: ("không được để trống", "must not be empty")
            case .tooLong(let most): ("dài quá \(most) ký tự", "is longer than \(most) characters")
            case .controlCharacter: ("có ký tự điều khiển hoặc ký tự ẩn", "has control or hidden characters")
            case .outOfRange(let least, let most): ("phải từ \(least) đến \(most)", "must be from \(least) to \(most)")
            case .notOneOf(let values):
                ("phải là một trong: \(values.joined(separator: ", "))", "must be one of: \(values.joined(separator: ", "))")
            }
        return language == .vi ? pair.vi : pair.en
    }

    /// One switch without a default: a new problem does not compile until it has words, and the pair keeps the languages together.
    static func pair(_ type: ProblemType) -> (vi: Words, en: Words) {
        switch type {
        case .notSignedIn:
            (Words("Chưa đăng nhập", "Hãy đăng nhập rồi thử lại."), Words("Not signed in", "Sign in and try again."))
        case .wrongPassword:
            (
                Words("Sai tên hoặc mật khẩu", "Kiểm tra lại tên đăng nhập và mật khẩu. Nếu quên, hãy liên hệ quản trị viên."),
                Words("Wrong name or password", "Check the username and the password. If you forgot it, ask an administrator.")
            )
        case .tooManyLogins:
            (
                Words("Thử đăng nhập quá nhiều lần", "Hãy chờ {0} giây rồi đăng nhập lại."),
                Words("Too many attempts to sign in", "Wait {0} seconds, then sign in again.")
            )
        case .foreignOrigin:
            (
                Words("Yêu cầu đến từ trang khác", "Hãy mở hệ thống bằng đúng địa chỉ của nó rồi thử lại."),
                Words("The request comes from another site", "Open the system at its own address and try again.")
            )
        case .notAllowed:
            (
                Words("Không có quyền", "Tài khoản của bạn không được làm việc này. Hãy nhờ thư ký hoặc quản trị viên."),
                Words("Not allowed", "Your account may not do this. Ask a secretary or an administrator.")
            )
        case .notFound:
            (Words("Không có địa chỉ này", "Kiểm tra lại địa chỉ {0}."), Words("No such address", "Check the address {0}."))
        case .meetingNotFound:
            (
                Words("Không tìm thấy cuộc họp", "Kiểm tra lại đường dẫn, hoặc chọn cuộc họp trong danh sách."),
                Words("Meeting not found", "Check the link, or choose the meeting from the list.")
            )
        case .participantNotFound:
            (
                Words("Người tham dự không còn trong cuộc họp", "Hãy tải lại danh sách người tham dự."),
                Words("The participant is not in the meeting", "Load the list of participants again.")
            )
        case .siteNotFound:
            (
                Words("Không có điểm cầu này", "Chọn một mã điểm cầu trong danh mục; “{0}” không có trong đó."),
                Words("No such site", "Choose a code from the directory of sites; “{0}” is not in it.")
            )
        case .methodNotAllowed:
            (Words("Địa chỉ không nhận lệnh này", "Hãy dùng một trong: {0}."), Words("Method not allowed", "Use one of: {0}."))
        case .malformedJSON:
            (
                Words("Nội dung không phải JSON", "Gửi một đối tượng JSON, mã hóa UTF-8. Sửa ở dòng {0}, cột {1}: {2}."),
                Words("The body is not JSON", "Send one JSON object in UTF-8. Correct line {0}, column {1}: {2}.")
            )
        case .unknownField:
            (
                Words("Trường không được biết", "Bỏ trường “{0}”, hoặc sửa lại tên. Được dùng: {1}."),
                Words("Unknown field", "Remove the field “{0}” or correct its name. Known here: {1}.")
            )
        case .missingField:
            (Words("Thiếu trường", "Hãy điền trường “{0}”."), Words("A field is missing", "Give the field “{0}”."))
        case .wrongType:
            (Words("Sai kiểu dữ liệu", "Trường “{0}” phải là {1}."), Words("Wrong type", "The field “{0}” must be: {1}."))
        case .invalidValue:
            (Words("Giá trị không hợp lệ", "“{0}” {1}."), Words("Invalid value", "“{0}” {1}."))
        case .unknownCommand:
            (Words("Lệnh không được biết", "Dùng một trong các lệnh: {0}."), Words("Unknown command", "Use one of the commands: {0}."))
        case .unsupportedMediaType:
            (
                Words("Kiểu nội dung không nhận được", "Gửi với Content-Type: {0}."),
                Words("Unsupported content type", "Send it as Content-Type: {0}.")
            )
        case .bodyTooLarge:
            (Words("Nội dung quá lớn", "Gửi nhiều nhất {0} byte."), Words("The body is too large", "Send at most {0} bytes."))
        case .preconditionRequired:
            (
                Words("Thiếu If-Match", "Đọc lại để lấy ETag, rồi gửi nó trong If-Match."),
                Words("If-Match is missing", "Read it again for its ETag and send that in If-Match.")
            )
        case .stale:
            (
                Words("Đã có người khác thay đổi", "Hãy tải lại rồi sửa lại trên bản mới nhất. {0}"),
                Words("Somebody else changed it", "Load it again and repeat the change on the newest version. {0}")
            )
        case .notRunning:
            (
                Words("Cuộc họp chưa diễn ra", "Chờ thư ký hoặc chủ tọa bắt đầu cuộc họp rồi vào lại."),
                Words("The meeting is not running", "Wait until a secretary starts it (POST …/start), then join again.")
            )
        case .ended:
            (
                Words("Cuộc họp đã kết thúc", "Cuộc họp đã kết thúc không mở lại được; hãy lập cuộc họp mới."),
                Words("The meeting has ended", "An ended meeting cannot be opened again; make a new one.")
            )
        case .running:
            (
                Words("Cuộc họp đang diễn ra", "Hãy kết thúc cuộc họp trước khi xóa."),
                Words("The meeting is running", "End the meeting before you delete it.")
            )
        case .locked:
            (
                Words("Cuộc họp đã khóa", "Hãy nhờ chủ tọa mở khóa rồi vào lại."),
                Words("The meeting is locked", "Ask the chair to unlock it, then join again.")
            )
        case .full:
            (
                Words("Cuộc họp đã đủ chỗ", "Cuộc họp nhận nhiều nhất {0} điểm. Hãy chờ một điểm rời đi, hoặc nhờ thư ký tăng số chỗ."),
                Words("The meeting is full", "It takes {0} at most. Wait for one to leave, or ask a secretary to raise its capacity.")
            )
        case .capacityTooSmall:
            (
                Words("Số chỗ nhỏ hơn số đang họp", "Đang có {0} điểm trong cuộc họp; hãy chọn số lớn hơn hoặc bằng."),
                Words("Fewer seats than are taken", "{0} are in the meeting; choose that many or more.")
            )
        case .malformedOffer:
            (
                Words("Lời mời SDP không đúng", "Sửa dòng {0} của lời mời SDP: {1}."),
                Words("The SDP offer is malformed", "Correct line {0} of the SDP offer: {1}.")
            )
        case .unsupportedOffer:
            (
                Words("Không có bộ mã hóa chung", "Dòng m= số {0} (đếm từ 0) không dùng được: {1}. Hệ thống nhận Opus và VP8."),
                Words("No codec in common", "The m-line {0} (counted from 0) cannot be used: {1}. The server takes Opus and VP8.")
            )
        case .insecureOffer:
            (
                Words("Lời mời không có mã hóa", "Lời mời SDP phải có vân tay DTLS và thông tin ICE: {0}."),
                Words("The offer has no encryption", "The SDP offer must have a DTLS fingerprint and ICE credentials: {0}.")
            )
        case .mediaBusy:
            (Words("Máy chủ hình tiếng đang bận", "Thử lại sau {0} giây."), Words("The media server is busy", "Try again in {0} seconds."))
        case .busy: (Words("Máy chủ đang bận", "Thử lại sau vài giây."), Words("The server is busy", "Try again in a few seconds."))
        case .storeFailed:
            (
                Words("Không ghi được dữ liệu", "Chưa có gì thay đổi. Thử lại; nếu vẫn vậy, báo quản trị viên xem nhật ký máy chủ."),
                Words(
                    "The data cannot be stored",
                    "Nothing was changed. Try again; if it stays so, have an administrator read the server's log.")
            )
        case .storeFull:
            (
                Words("Ổ đĩa của cơ sở dữ liệu đã đầy", "Chưa có gì thay đổi. Báo quản trị viên giải phóng chỗ rồi thử lại."),
                Words("The database's disk is full", "Nothing was changed. Have an administrator free some space, then try again.")
            )
        case .storeReadOnly:
            (
                Words(
                    "Cơ sở dữ liệu chỉ đọc",
                    "Chưa có gì thay đổi. Báo quản trị viên: tài khoản của máy chủ phải được quyền ghi, và cơ sở dữ liệu không được là bản dự phòng."
                ),
                Words(
                    "The database is read-only",
                    "Nothing was changed. Tell an administrator: the server's account must have the right to write, to a database that is no standby."
                )
            )
        case .storeGone:
            (
                Words(
                    "Không kết nối được cơ sở dữ liệu",
                    "Chưa có gì thay đổi. Cuộc họp vẫn tiếp tục; hệ thống tự nối lại. Thử lại sau ít giây."),
                Words(
                    "The database cannot be reached",
                    "Nothing was changed. Meetings go on and the server reconnects by itself. Try again in a few seconds.")
            )
        case .storeSlow:
            (
                Words("Cơ sở dữ liệu trả lời quá chậm", "Chưa có gì thay đổi. Cuộc họp vẫn tiếp tục. Thử lại sau ít giây."),
                Words("The database is too slow", "Nothing was changed. Meetings go on. Try again in a few seconds.")
            )
        case .storeNewer:
            (
                Words(
                    "Cơ sở dữ liệu thuộc phiên bản mới hơn", "Chưa có gì thay đổi. Báo quản trị viên khởi động phiên bản mới của nhipcau."),
                Words(
                    "The database belongs to a newer version",
                    "Nothing was changed. Have an administrator start the newer version of nhipcau."
                )
            )
        case .storeUncertain:
            (
                Words(
                    "Chưa rõ việc này đã được ghi hay chưa",
                    "Cơ sở dữ liệu mất kết nối đúng lúc ghi. Hãy xem lại trước khi làm lại; thay đổi hoặc đã ghi đủ, hoặc chưa có gì."),
                Words(
                    "It is not known whether this was stored",
                    "The database went away while it was written. Look before you repeat it: the change is there whole, or not at all.")
            )
        case .upgradeRequired:
            (
                Words("Địa chỉ này cần WebSocket", "Kết nối bằng WebSocket, giao thức con nhipcau.v1."),
                Words("WebSocket needed", "Connect with WebSocket, subprotocol nhipcau.v1.")
            )
        case .wrongSubprotocol:
            (
                Words("Sai giao thức con", "Dùng giao thức con nhipcau.v1."),
                Words("Wrong subprotocol", "Ask for the subprotocol nhipcau.v1.")
            )
        case .tooManyChannels:
            (
                Words("Quá nhiều kết nối", "Đóng bớt cửa sổ của cuộc họp này rồi thử lại."),
                Words("Too many connections", "Close some windows of this meeting and try again.")
            )
        case .usernameTaken:
            (Words("Tên đăng nhập đã có", "Chọn tên đăng nhập khác."), Words("The username is taken", "Choose another username."))
        case .weakPassword:
            (
                Words("Mật khẩu yếu", "Dùng từ {0} đến {1} ký tự, khác tên đăng nhập và không phải một ký tự lặp lại."),
                Words("The password is weak", "Use {0} to {1} characters, not the username and not one character repeated.")
            )
        case .tooManySessions:
            (
                Words(
                    "Tài khoản đã vào quá nhiều lần",
                    "Một tài khoản vào một cuộc họp nhiều nhất {0} lần. Hãy rời khỏi ở một cửa sổ khác rồi thử lại."),
                Words(
                    "The account is in too often", "One account joins a meeting {0} times at most. Leave in another window, then try again."
                )
            )
        case .tooManyConnecting:
            (
                Words("Đang kết nối", "Tài khoản này đang có kết nối chưa xong. Hãy chờ {0} giây rồi thử lại."),
                Words("Still connecting", "This account has joins that are not connected yet. Wait {0} seconds, then try again.")
            )
        case .tooManyJoins:
            (
                Words("Vào họp quá nhiều lần", "Hãy chờ {0} giây rồi vào lại."),
                Words("Too many joins", "Wait {0} seconds, then join again.")
            )
        case .tooManyCommands:
            (
                Words("Quá nhiều lệnh", "Mỗi giây nhiều nhất {0} lệnh. Hãy chờ một giây rồi thử lại."),
                Words("Too many commands", "At most {0} commands a second. Wait a second, then try again.")
            )
        case .mutedByChair:
            (
                Words("Chủ tọa đã tắt tiếng", "Chỉ chủ tọa hoặc thư ký mới bật lại được. Hãy nhắn chủ tọa khi muốn phát biểu."),
                Words("Muted by the chair", "Only a chair or a secretary can unmute you. Ask the chair when you want to speak.")
            )
        case .cameraOffByChair:
            (
                Words("Chủ tọa đã tắt hình", "Chỉ chủ tọa hoặc thư ký mới bật lại hình của điểm cầu."),
                Words("Camera turned off by the chair", "Only a chair or a secretary can show your picture again.")
            )
        case .userNotFound:
            (
                Words("Không có tài khoản này", "Hãy tải lại danh sách tài khoản."),
                Words("No such account", "Load the list of accounts again.")
            )
        case .lastAdministrator:
            (
                Words("Quản trị viên cuối cùng", "Hãy tạo hoặc mở một quản trị viên khác trước."),
                Words("The last administrator", "Make or open another administrator first.")
            )
        case .notYourPassword:
            (
                Words("Mật khẩu cũ không đúng", "Nhập lại mật khẩu đang dùng. Nếu quên, hãy liên hệ quản trị viên."),
                Words("The old password is wrong", "Type the password that you use now. If you forgot it, ask an administrator.")
            )
        case .siteNotYours:
            (
                Words(
                    "Tài khoản không thuộc điểm cầu này",
                    "Hãy chọn điểm cầu của mình, hoặc nhờ quản trị viên gán điểm cầu “{0}” cho tài khoản."),
                Words("The site is another account's", "Choose your own site, or ask an administrator to give your account the site “{0}”.")
            )
        case .keptOut:
            (
                Words("Đã bị mời ra khỏi cuộc họp", "Hãy liên hệ chủ tọa hoặc thư ký để được cho vào lại."),
                Words("Removed from the meeting", "Ask the chair or a secretary to let you in again.")
            )
        }
    }
}
