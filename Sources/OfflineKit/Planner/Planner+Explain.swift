// A plan in words: what `explain` shows of it. Nothing of this is made for a query that only runs.
import OfflineDocuments

extension Planner {
    /// The plan as callers see it.
    func shown(_ planned: PlannedQuery) -> QueryPlan {
        let access = planned.access
        var rejected: [String: String] = [:]
        for (index, reason) in planned.refusals { rejected[index] = text(reason) }
        for loser in planned.candidates {
            guard let name = loser.access.match.tree.name, name != access.match.tree.name else {
                continue
            }
            rejected[name] = reason(loser, against: planned.best)
        }
        return QueryPlan(
            access: shownAccess(access), sortedByIndex: !sort.isEmpty && access.givesWantedOrder,
            estimatedRecords: planned.matchesMax,
            isExact: planned.candidates.contains { !$0.access.needsCheck },
            rejected: rejected, steps: steps(access))
    }

    private func shownAccess(_ access: AccessPlan) -> QueryPlan.Access {
        if let name = access.match.tree.name { return .index(name) }
        return access.match.boundPaths == 0 ? .collectionScan : .key
    }

    private func text(_ refusal: PlannedQuery.Refusal) -> String {
        switch refusal {
        case .kind(let index):
            "it is \(index.kindName), which no plan of this build uses"
        case .noPath:
            "the filter names no leading path of it, and it doesn't give the order"
        case .arrays(let records, let path):
            "\(records) record\(records == 1 ? " has" : "s have") an array at \"\(path)\","
                + " so it gives no order"
        case .collation: "it compares strings by another collation than the query"
        }
    }

    private func reason(
        _ loser: PlannedQuery.Candidate, against best: PlannedQuery.Candidate
    ) -> String {
        let chosen =
            switch shownAccess(best.access) {
            case .index(let name): "index \(name)"
            case .key: "the key"
            default: "the collection"
            }
        var reason =
            "\(loser.access.candidatesMax) candidates against"
            + " \(best.access.candidatesMax) of \(chosen)"
        if best.access.givesWantedOrder, !loser.access.givesWantedOrder {
            reason += ", and they would have to be sorted"
        } else if best.access.order != nil, loser.access.order == nil, sort.isEmpty {
            reason += ", and they would have to be put into key order"
        }
        return reason
            + " (cost \(Int(loser.cost.rounded())) against \(Int(best.cost.rounded())))"
    }

    private func steps(_ access: AccessPlan) -> [String] {
        var steps: [String] = []
        if !access.arrayLists.isEmpty { steps.append("add the records with an array on the path") }
        if access.order == nil, access.givesWantedOrder { steps.append("put the keys into order") }
        if access.needsCheck { steps.append("check the filter on each record") }
        if !access.givesWantedOrder {
            let fields = sort.map { "\($0.path.text) \($0.isDescending ? "desc" : "asc")" }
            let kept = goal.recordsNeeded.map { ", keeping the first \($0)" } ?? ""
            steps.append("sort by \(fields.joined(separator: ", "))\(kept)")
        }
        return steps
    }
}

extension IndexState {
    /// What kind of index it is.
    fileprivate var kindName: String {
        if isFullText { return "a full-text index" }
        if condition != nil { return "a partial index" }
        return isMultiEntry ? "a multi-entry index" : "a case-insensitive index"
    }
}
