// Every name in a store's folder, made and parsed here.

/// The names of a store's files.
package enum FileNames {
    package static let lock = "LOCK"
    package static let superblock = "SUPERBLOCK"
    package static let reserve = "RESERVE"

    /// What a numbered file holds.
    package enum Kind: String, Sendable {
        case log
        case tree
    }

    /// `00000001.log`
    package static func log(_ number: FileNumber) -> String { name(number, .log) }
    /// `00000002.tree`
    package static func tree(_ number: FileNumber) -> String { name(number, .tree) }

    package static func name(_ number: FileNumber, _ kind: Kind) -> String {
        let digits = String(number.value)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + "."
            + kind.rawValue
    }

    /// The number and kind that a name stands for; nil for a name that isn't one of ours.
    package static func parse(_ name: String) -> (number: FileNumber, kind: Kind)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[1])),
            let value = UInt32(parts[0]), value > 0
        else { return nil }
        let number = FileNumber(value)
        return self.name(number, kind) == name ? (number, kind) : nil
    }
}
