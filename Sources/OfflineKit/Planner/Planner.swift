// The choice of an access path: each tree that can serve the query is matched against the filter and the sort, its ranges
// are counted, and the cheapest wins. A plan changes the time that a query takes, never its result.
import OfflineDocuments

/// One way to get at the records that a query may match.
struct AccessPlan {
    let match: TreeMatch
    /// How the tree is walked; nil: an index's entries are gathered, and then put into key order where that is wanted.
    let order: TreeOrder?
    /// Lists of records with arrays, which are candidates too.
    let arrayLists: [KeyRange]
    /// The filter must be asked for each record; false: all candidates match.
    let needsCheck: Bool
    /// The candidates come in the wanted order.
    let givesWantedOrder: Bool
    /// How many candidates there are; some may be counted twice, where there are `arrayLists`.
    let candidatesMax: Int
}

/// A chosen plan: to run, and to show.
struct PlannedQuery {
    let access: AccessPlan
    var shown: QueryPlan
}

/// An access that is not chosen by its cost.
struct ForcedAccess {
    /// The index; nil: the collection itself.
    var index: String?
}

/// Chooses how to run a query.
struct Planner {
    let view: ReadView
    let collection: CollectionState
    let condition: Condition
    let sort: [SortTerm]
    let goal: PlanGoal
    /// The access to take if it can serve the query, whatever it costs: tests hold all of them against each other.
    var forced: ForcedAccess?

    func plan() throws -> PlannedQuery {
        let conditions = condition.conjuncts
        var candidates: [AccessPlan] = []
        var rejected: [String: String] = [:]
        for tree in OrderedTree.trees(of: collection) {
            switch try access(through: tree, conditions) {
            case .usable(let plan): candidates.append(plan)
            case .useless(let reason): rejected[tree.name ?? ""] = reason
            }
        }
        let matchesMax = candidates.map(\.candidatesMax).min() ?? 0
        func cost(_ plan: AccessPlan) -> Double {
            PlanCost.cost(of: plan, goal, matchesMax: matchesMax)
        }
        // The collection itself is always a candidate, so there is one.
        var best = candidates[0]
        for candidate in candidates.dropFirst() where cost(candidate) < cost(best) {
            best = candidate
        }
        if let forced {
            best = candidates.first { $0.match.tree.name == forced.index } ?? best
        }
        for loser in candidates where loser.match.tree.name != best.match.tree.name {
            guard let name = loser.match.tree.name else { continue }
            rejected[name] = reason(loser, cost(loser), best, cost(best))
        }
        let shown = QueryPlan(
            access: shownAccess(best), sortedByIndex: !sort.isEmpty && best.givesWantedOrder,
            estimatedRecords: matchesMax, isExact: candidates.contains { !$0.needsCheck },
            rejected: rejected, steps: steps(best))
        return PlannedQuery(access: best, shown: shown)
    }

    private enum Usability {
        case usable(AccessPlan)
        case useless(String)
    }

    private func access(through tree: OrderedTree, _ conditions: [Condition]) throws -> Usability {
        let match = TreeMatch(tree, conditions)
        let wantedOrder = match.order(for: sort)
        var order = wantedOrder ?? (tree.isIndex ? nil : TreeOrder(tieDepth: tree.paths.count))
        var arrayLists: [KeyRange] = []
        var arrayRecords = 0
        var refusal = "the filter names no leading path of it, and it doesn't give the order"
        if tree.isIndex {
            for ordinal in 0..<match.pathsUsed(order) {
                let list = tree.arrayList(ordinal)
                let count = try view.adapter.count(tree.id, of: collection, in: list)
                guard count > 0 else { continue }
                order = nil
                refusal =
                    "\(count) record\(count == 1 ? " has" : "s have") an array at \"\(tree.paths[ordinal].text)\","
                    + " so it gives no order"
                guard ordinal < match.boundPaths else { continue }
                arrayLists.append(list)
                arrayRecords += count
            }
            if match.boundPaths == 0, order == nil || goal == .count { return .useless(refusal) }
        }
        var candidates = arrayRecords
        for range in match.ranges {
            candidates += try view.adapter.count(tree.id, of: collection, in: range)
        }
        // Without a sort, an index's entries are put into key order, which is the wanted one.
        let isOrdered = sort.isEmpty || (wantedOrder != nil && order != nil)
        return .usable(
            AccessPlan(
                match: match, order: order, arrayLists: arrayLists,
                needsCheck: !match.coversFilter || !arrayLists.isEmpty,
                givesWantedOrder: isOrdered,
                candidatesMax: candidates))
    }

    // MARK: What explain tells

    private func shownAccess(_ plan: AccessPlan) -> QueryPlan.Access {
        if let name = plan.match.tree.name { return .index(name) }
        return plan.match.boundPaths == 0 ? .collectionScan : .key
    }

    private func reason(
        _ loser: AccessPlan, _ loserCost: Double, _ best: AccessPlan, _ bestCost: Double
    ) -> String {
        let chosen =
            best.match.tree.name.map { "index \($0)" }
            ?? (best.match.boundPaths == 0 ? "the collection" : "the key")
        var reason = "\(loser.candidatesMax) candidates against \(best.candidatesMax) of \(chosen)"
        if best.givesWantedOrder, !loser.givesWantedOrder {
            reason += ", and they would have to be sorted"
        } else if best.order != nil, loser.order == nil, sort.isEmpty, goal != .count {
            reason += ", and they would have to be put into key order"
        }
        return reason + " (cost \(Int(loserCost.rounded())) against \(Int(bestCost.rounded())))"
    }

    private func steps(_ plan: AccessPlan) -> [String] {
        var steps: [String] = []
        if goal == .count, !plan.needsCheck { return ["count the range, reading no record"] }
        if !plan.arrayLists.isEmpty { steps.append("add the records with an array on the path") }
        if plan.order == nil, plan.givesWantedOrder, goal != .count {
            steps.append("put the keys into order")
        }
        if plan.needsCheck { steps.append("check the filter on each record") }
        if !plan.givesWantedOrder {
            let fields = sort.map { "\($0.path.text) \($0.isDescending ? "desc" : "asc")" }
            let kept = goal.recordsNeeded.map { ", keeping the first \($0)" } ?? ""
            steps.append("sort by \(fields.joined(separator: ", "))\(kept)")
        }
        return steps
    }
}

extension Condition {
    /// The conditions all of which must hold; together they are this one.
    var conjuncts: [Condition] {
        guard case .all(let conditions) = self else { return [self] }
        return conditions.flatMap(\.conjuncts)
    }
}
