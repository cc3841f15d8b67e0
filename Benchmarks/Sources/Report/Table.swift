// The report for people: a table for processor time, one for wall time, one for the disk.
internal import Foundation

struct ResultsTable {
    let results: Results

    var text: String {
        var lines = [heading]
        lines += times("Processor time of all threads", \.processor)
        lines += times("Wall time", \.wall)
        lines += flushes
        lines += disk
        return lines.joined(separator: "\n")
    }

    private var heading: String {
        """
        \(grouped(results.count)) documents of \(results.documentBytes) bytes as JSON, \
        \(results.repeats) repeats, in turns, answers compared. Median, ± half the range.
        Ratios are ours / theirs, repeat by repeat: below 1 is ahead.
        """
    }

    private var ours: String { results.stores.first ?? "" }
    private var peers: [String] { Array(results.stores.dropFirst()) }

    private func times(_ title: String, _ clock: KeyPath<Samples, [Double]>) -> [String] {
        var rows = [[title + ", us an operation"] + results.stores + peers.map { "/ " + $0 }]
        for workload in results.workloads {
            let figures = results.stores.map { workload.samples[$0]?[keyPath: clock] ?? [] }
            rows.append(
                [workload.title]
                    + figures.map { "\(short($0.median)) \(percent($0.spread))" }
                    + figures.dropFirst().map { ratio(figures[0], $0) })
        }
        return [""] + aligned(rows)
    }

    private var flushes: [String] {
        results.workloads.compactMap { workload in
            guard let floor = workload.samples["flush"]?.wall else { return nil }
            let quotients = results.stores.map {
                "\($0) \(ratio(workload.samples[$0]?.wall ?? [], floor))"
            }
            return """

                One flush of 4 KiB into written blocks: \(short(floor.median)) us \
                \(percent(floor.spread)); \(workload.title), / flush: \
                \(quotients.joined(separator: ", "))
                """
        }
    }

    private var disk: [String] {
        guard !results.disk.isEmpty else { return [] }
        var rows = [["Disk, MB"] + results.stores + peers.map { "/ " + $0 }]
        for use in results.disk {
            let figures = results.stores.map { (use.bytes[$0] ?? []).map { Double($0) / 1e6 } }
            rows.append(
                [use.title] + figures.map { "\(short($0.median)) \(percent($0.spread))" }
                    + figures.dropFirst().map { ratio(figures[0], $0) })
        }
        return [""] + aligned(rows)
    }

    private func ratio(_ ours: [Double], _ theirs: [Double]) -> String {
        let quotient = ours.ratio(to: theirs)
        return quotient.isNaN ? "-" : String(format: quotient < 0.1 ? "%.3f" : "%.2f", quotient)
    }

    /// Three digits.
    private func short(_ number: Double) -> String {
        switch number {
        case _ where number.isNaN: "-"
        case ..<10: String(format: "%.2f", number)
        case ..<100: String(format: "%.1f", number)
        default: String(format: "%.0f", number)
        }
    }

    private func percent(_ part: Double) -> String { String(format: "±%.0f%%", part * 100) }

    private func grouped(_ number: Int) -> String {
        var digits = String(number)
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
            position -= 3
        }
        return digits
    }

    /// The first column to the left, the others to the right.
    private func aligned(_ rows: [[String]]) -> [String] {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
    }
}
