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

    /// The cost of `access` for a query of which about so many records match.
    static func cost(
        of access: AccessPlan, _ goal: PlanGoal, matches: Double, recordCount: Int
    ) -> Double {
        let candidates = Double(access.candidatesMax)
        var cost = 0.0
        // Records that the filter is asked for, or that are read since they match.
        var examined = candidates
        switch access.source {
        case .tree(let tree):
            let isGathered = access.order == nil && (goal != .count || tree.mayRepeat)
            cost += ranges(tree)
            if goal == .count, !access.needsCheck, !isGathered { return cost }
            // Records are read until so many matched; matches are taken to be spread evenly.
            if access.givesWantedOrder, let needed = goal.recordsNeeded {
                let fraction = access.needsCheck ? candidates / max(matches, 1) : 1
                examined = min(candidates, Double(needed) * max(fraction, 1))
            }
            if tree.match.tree.isIndex {
                cost += isGathered ? gathered(candidates) : ordered(examined, access.lead)
                if goal == .count, !access.needsCheck { return cost }
                cost += examined * soughtRecord
            } else {
                cost += examined * scannedRecord
                if tree.match.boundPaths == 0 { cost = max(cost, scanMin) }
            }
        case .union(let trees), .intersection(let trees):
            cost += trees.reduce(0) { $0 + gathering($1) }
            if case .intersection = access.source {
                examined = intersectionSize(trees, recordCount: recordCount)
            }
            if goal == .count, !access.needsCheck { return cost }
            if access.givesWantedOrder, !access.needsCheck, let needed = goal.recordsNeeded {
                examined = min(examined, Double(needed))
            }
            cost += examined * soughtRecord
        case .words: return 0
        }
        cost += access.needsCheck ? examined * check : 0
        if !access.givesWantedOrder {
            let kept = goal.recordsNeeded.map { min(Double($0), candidates) } ?? candidates
            cost += sort(min(candidates, matches), keeping: kept)
        }
        return cost
    }

    /// Going through so many entries in their order, the first of which are a group of ties.
    private static func ordered(_ count: Double, _ lead: OrderLead) -> Double {
        let ties = Double(lead.entries)
        let asked = lead.readsRecords ? ties * soughtRecord : 0
        return max(count, ties) * entry + (ties > 1 ? sort(ties, keeping: ties) : 0) + asked
    }

    /// Gathering the keys of an access, in key order.
    static func gathering(_ access: TreeAccess) -> Double {
        let count = Double(access.candidatesMax)
        // What is in key order is only looked through.
        let isOrdered = access.arrayLists.isEmpty && access.match.isInKeyOrder
        return ranges(access) + (isOrdered ? count * (entry + comparison) : gathered(count))
    }

    /// Reading so many records by their keys, and asking the filter.
    static func reading(_ records: Double) -> Double { records * (soughtRecord + check) }

    /// How many records are in all of these, if each leaves its share of the others.
    static func intersectionSize(_ accesses: [TreeAccess], recordCount: Int) -> Double {
        let all = Double(max(recordCount, 1))
        return accesses.reduce(all) { $0 * min(1, Double($1.candidatesMax) / all) }
    }

    private static func ranges(_ access: TreeAccess) -> Double {
        Double(access.match.ranges.count + access.arrayLists.count) * range
    }

    private static func gathered(_ count: Double) -> Double {
        count * entry + sort(count, keeping: count)
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
