// Columns of text, as wide as what is in them.

/// A table for a person to read.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []
    /// Between columns.
    private static let gap = "  "

    init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

    /// Adds a row; what it lacks is empty.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// Title and rows, without trailing blanks.
    func lines() -> [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in
            all.map { Self.cell($0, column).count }.max() ?? 0
        }
        return all.map { row in
            var line = columns.indices.map { column in
                Self.padded(Self.cell(row, column), widths[column], columns[column].alignment)
            }.joined(separator: Self.gap)
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private static func cell(_ row: [String], _ column: Int) -> String {
        column < row.count ? row[column] : ""
    }

    private static func padded(_ text: String, _ width: Int, _ alignment: Alignment) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return alignment == .left ? text + blanks : blanks + text
    }
}
