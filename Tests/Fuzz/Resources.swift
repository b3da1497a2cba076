import Foundation

// The package manager makes this one for a room with files beside its sources. No target reads such a file.
extension Bundle {
    static var module: Bundle { .main }
}
