// A plan in words: what `explain` shows of it. Nothing of this is made for a query that only runs.
import OfflineDocuments

extension Planner {
    /// The plan as callers see it.
    func shown(_ planned: PlannedQuery) -> QueryPlan {
        let access = planned.access
        let chosen = names(access)
        var rejected: [String: String] = [:]
        for (index, reason) in planned.refusals where !chosen.contains(index) {
            rejected[index] = text(reason)
        }
        for loser in planned.candidates {
            guard case .tree(let tree) = loser.access.source, let name = tree.name,
                !chosen.contains(name), rejected[name] == nil
            else { continue }
            rejected[name] = reason(loser, against: planned.best)
        }
        return QueryPlan(
            access: shownAccess(access), sortedByIndex: !sort.isEmpty && access.givesWantedOrder,
            estimatedRecords: planned.matchesMax,
            isExact: planned.candidates.contains { $0.access.isExact },
            rejected: rejected, steps: steps(access))
    }

    private func shownAccess(_ access: AccessPlan) -> QueryPlan.Access {
        switch access.source {
        case .tree(let tree):
            if let name = tree.name { return .index(name) }
            return tree.match.boundPaths == 0 ? .collectionScan : .key
        case .union: return .union(names(access))
        case .intersection: return .intersection(names(access))
        case .words(let words): return .index(words.index.name)
        }
    }

    /// The indexes of an access, each once; records by their keys are "the key".
    private func names(_ access: AccessPlan) -> [String] {
        var names: [String] = []
        for tree in access.trees {
            let name = tree.name ?? "the key"
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private func text(_ refusal: PlannedQuery.Refusal) -> String {
        switch refusal {
        case .noPath:
            "the filter names no leading path of it, and it doesn't give the order"
        case .arrays(let records, let path):
            "\(records) record\(records == 1 ? " has" : "s have") an array at \"\(path)\","
                + " so it gives no order"
        case .collation: "it compares strings by another collation than the query"
        case .partial: "the filter doesn't imply the index's own"
        case .fullText: "it serves $text only"
        case .sealed:
            "it has blind tokens of a sensitive field, which serve equality and $in, and no order"
        case .search: "the query searches for words"
        }
    }

    private func reason(
        _ loser: PlannedQuery.Candidate, against best: PlannedQuery.Candidate
    ) -> String {
        let chosen =
            switch shownAccess(best.access) {
            case .index(let name): "index \(name)"
            case .key: "the key"
            case .collectionScan: "the collection"
            case .union(let names): "the union of \(names.joined(separator: ", "))"
            case .intersection(let names): "the intersection of \(names.joined(separator: ", "))"
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
        for path in distinct(access.trees.flatMap(\.match.tokenPaths)) {
            steps.append("look \"\(path)\" up by its blind token")
        }
        if access.trees.contains(where: { !$0.arrayLists.isEmpty }) {
            steps.append("add the records with an array on the path")
        }
        if case .words = access.source {
            steps.append(sort.isEmpty ? "rank by the words" : "merge the words' records")
        } else if access.order == nil, access.givesWantedOrder {
            steps.append("put the keys into order")
        }
        for path in opened(access) {
            steps.append("open the sensitive field \"\(path)\" of each candidate")
        }
        if access.needsCheck { steps.append("check the filter on each record") }
        if !access.givesWantedOrder {
            let fields = sort.map { "\($0.path.text) \($0.isDescending ? "desc" : "asc")" }
            let kept = goal.recordsNeeded.map { ", keeping the first \($0)" } ?? ""
            steps.append("sort by \(fields.joined(separator: ", "))\(kept)")
        }
        return steps
    }

    /// The sensitive fields that are opened to tell which candidates match, and in what order.
    private func opened(_ access: AccessPlan) -> [String] {
        guard let sealing = collection.sealing else { return [] }
        var paths: [FieldPath] = []
        if case .tree(let tree) = access.source {
            for (ordinal, condition) in condition.conjuncts.enumerated()
            where !tree.decides(ordinal) {
                paths += condition.paths
            }
        } else if access.needsCheck {
            paths = condition.paths
        }
        if !access.givesWantedOrder { paths += sort.map(\.path) }
        return distinct(paths.filter(sealing.isSensitive))
    }

    private func distinct(_ paths: [FieldPath]) -> [String] {
        var texts: [String] = []
        for path in paths where !texts.contains(path.text) { texts.append(path.text) }
        return texts
    }
}
