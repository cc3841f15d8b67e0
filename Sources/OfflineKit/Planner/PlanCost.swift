// What an access costs. The counts come from the trees and are exact; the weights are relative to reading one record in a
// scan of the collection, and need only be right enough to tell plans apart that differ by a factor.
import OfflineDocuments

/// The estimated cost of running a query in one way.
enum PlanCost {
    /// Reading a record that a scan of the collection passes over.
    private static let scannedRecord = 1.0
    /// Finding a record by its key.
    private static let soughtRecord = 2.0
    /// Evaluating the filter on a record.
    private static let check = 0.1
    /// Passing over an index entry.
    private static let entry = 0.2
    /// Going to the start of a range.
    private static let range = 1.0
    /// One comparison of a sort.
    private static let comparison = 0.1
    /// A scan of the collection counts as no less: for a handful of records every plan is as good, and the one that
    /// also is good for many should be seen in `explain`.
    private static let scanMin = 40.0

    /// The cost of `access` for a query of which at most `matchesMax` records match.
    static func cost(of access: AccessPlan, _ goal: PlanGoal, matchesMax: Int) -> Double {
        let candidates = Double(access.candidatesMax)
        let ranges = Double(access.match.ranges.count + access.arrayLists.count) * range
        if goal == .count, !access.needsCheck { return ranges }
        // Records are read until so many matched; matches are taken to be spread evenly.
        var examined = candidates
        if access.givesWantedOrder, let needed = goal.recordsNeeded {
            let fraction = access.needsCheck ? candidates / Double(max(matchesMax, 1)) : 1
            examined = min(candidates, Double(needed) * max(fraction, 1))
        }
        var cost = ranges + (access.needsCheck ? examined * check : 0)
        if access.match.tree.isIndex {
            let gathered = access.order == nil && goal != .count
            cost += (gathered ? candidates : examined) * entry + examined * soughtRecord
            if gathered { cost += sort(candidates, keeping: candidates) }
        } else {
            cost += examined * scannedRecord
            if access.match.boundPaths == 0 { cost = max(cost, scanMin) }
        }
        if !access.givesWantedOrder {
            let kept = goal.recordsNeeded.map { min(Double($0), candidates) } ?? candidates
            cost += sort(min(candidates, Double(matchesMax)), keeping: kept)
        }
        return cost
    }

    private static func sort(_ count: Double, keeping kept: Double) -> Double {
        var doublings = 1.0
        var size = kept
        while size > 2 {
            size /= 2
            doublings += 1
        }
        return count * doublings * comparison
    }
}

/// What a plan is for.
enum PlanGoal: Equatable {
    /// How many records match.
    case count
    /// The records in the wanted order: so many of them, or all.
    case records(needed: Int?)

    var recordsNeeded: Int? {
        if case .records(let needed) = self { return needed }
        return nil
    }
}
