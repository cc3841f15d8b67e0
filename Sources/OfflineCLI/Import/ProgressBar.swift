// One line on a terminal that is written over and over.

/// Shows how far an import is.
struct ProgressBar {
    private let output: Output
    /// Bytes of the whole input; nil where nobody knows.
    private let total: Int?
    private let clock = ContinuousClock()
    private var lastShown: ContinuousClock.Instant?
    private static let width = 30
    private static let interval = Duration.milliseconds(100)

    /// A bar on a terminal; on anything else it shows nothing.
    init(_ output: Output, total: Int?) {
        self.output = output
        self.total = total
    }

    mutating func show(bytes: Int, records: Int) throws {
        guard output.isTerminal else { return }
        let now = clock.now
        if let lastShown, now - lastShown < Self.interval { return }
        lastShown = now
        try output.add("\r\(Self.text(bytes: bytes, of: total, records: records))\u{1B}[K")
        try output.flush()
    }

    /// Takes the line away.
    func clear() throws {
        guard output.isTerminal else { return }
        try output.add("\r\u{1B}[K")
        try output.flush()
    }

    /// `[#########                     ]  30%  1,234 records`
    static func text(bytes: Int, of total: Int?, records: Int) -> String {
        let count = Figures.counted(records, "record")
        guard let total, total > 0 else { return count }
        let done = min(1, Double(bytes) / Double(total))
        let marks = Int(done * Double(width))
        let percent = String(Int(done * 100))
        let bar =
            String(repeating: "#", count: marks) + String(repeating: " ", count: width - marks)
        return "[\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent)%  \(count)"
    }
}
