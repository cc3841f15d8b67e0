// What scalars differ in case only: those whose full case foldings are the same.
import OfflineDocuments

/// Scalars and their case.
enum CaseVariants {
    /// What a scalar folds to.
    static func folding(of scalar: UInt32) -> [UInt32] {
        guard let character = Unicode.Scalar(scalar) else { return [scalar] }
        return String(decoding: CaseFolding.fold(String(character)), as: UTF8.self)
            .unicodeScalars.map(\.value)
    }

    /// All scalars that differ in case only from one in the ranges, which may be among them.
    static func variants(of ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var found: [UInt32] = []
        for range in ranges {
            if range.count <= groups.count {
                for scalar in range { found += groups[scalar] ?? [] }
            } else {
                for (scalar, group) in groups where range.contains(scalar) { found += group }
            }
        }
        return found.map { $0...$0 }
    }

    /// For each scalar that others have the folding of: all of these.
    private static let groups: [UInt32: [UInt32]] = {
        var byFolding: [[UInt32]: [UInt32]] = [:]
        CaseFolding.forEachFolded { scalar in
            byFolding[folding(of: scalar), default: []].append(scalar)
        }
        var groups: [UInt32: [UInt32]] = [:]
        for (folding, scalars) in byFolding {
            let group = folding.count == 1 ? scalars + folding : scalars
            for scalar in group { groups[scalar] = group }
        }
        return groups
    }()
}
