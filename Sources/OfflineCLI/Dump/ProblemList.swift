// A dump that shows nothing and keeps the damage: how `verify` and `stat` read the files of a store that can't be opened.
internal import OfflineBytes

/// Keeps problems as text.
struct ProblemList: DumpWriter {
    private let kept = Protected<[String]>([])
    /// A badly damaged store may have more than anybody reads.
    private static let countMax = 1_000

    var problems: [String] { kept.withLock { $0 } }

    mutating func write(_ event: DumpEvent) {
        guard case .problem(let place, let reason, _) = event else { return }
        let offset = place.offset.map { " at \($0)" } ?? ""
        kept.withLock { kept in
            if kept.count < Self.countMax { kept.append("\(place.file)\(offset): \(reason)") }
        }
    }
}
