// What verification says.

/// One thing that is wrong: where, and what.
package struct VerificationFinding: Equatable, Sendable, CustomStringConvertible {
    package var file: String?
    package var offset: UInt64?
    package var message: String

    package init(_ message: String, file: String? = nil, offset: UInt64? = nil) {
        self.message = message
        self.file = file
        self.offset = offset
    }

    package init(_ error: EngineError) {
        self.init(error.message, file: error.file, offset: error.offset)
    }

    package var description: String {
        guard let file else { return message }
        return offset.map { "\(file) at \($0): \(message)" } ?? "\(file): \(message)"
    }
}

/// The outcome of a whole verification.
package struct VerificationResult: Equatable, Sendable {
    package var findings: [VerificationFinding] = []
    package var recordsChecked = 0
    package var entriesChecked = 0
    package var nodesChecked = 0
    package var framesChecked = 0
    package var bytesChecked: Int64 = 0

    package init() {}

    /// A damaged store may have more findings than anybody reads.
    static let findingsMax = 1_000

    mutating func add(_ finding: VerificationFinding) {
        if findings.count < Self.findingsMax { findings.append(finding) }
    }
}
