// What a check of the whole store found.

/// The result of `OfflineStore.verify`.
public struct VerificationReport: Sendable, CustomStringConvertible {
    /// One sentence each: what is wrong, and where.
    public internal(set) var problems: [String] = []
    /// Records whose bytes and index entries were checked.
    public internal(set) var recordsChecked = 0
    /// Bytes read and checked by the storage.
    public internal(set) var bytesChecked: Int64 = 0

    init() {}

    /// Nothing is wrong.
    public var isSound: Bool { problems.isEmpty }

    /// What was checked and found, a line each.
    public var description: String {
        let checked = "\(recordsChecked) records and \(bytesChecked) bytes checked"
        if isSound { return "sound: \(checked)" }
        let lines = problems.map { "  \($0)" }.joined(separator: "\n")
        return "\(problems.count) problems, \(checked)\n\(lines)"
    }
}
