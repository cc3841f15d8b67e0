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

/// What the planner found: the access to run, and, for `explain`, all that lost against it.
struct PlannedQuery {
    /// An access, and what it costs.
    struct Candidate {
        let access: AccessPlan
        let cost: Double
    }
    /// Why an index can't serve the query at all.
    enum Refusal {
        /// Its entries are not the values of every record.
        case kind(IndexState)
        /// Neither the filter nor the sort leads into it.
        case noPath
        /// It would only be of use for its order, which arrays take from it.
        case arrays(records: Int, path: String)
        /// It compares strings otherwise than the query.
        case collation
    }
    let best: Candidate
    let candidates: [Candidate]
    let refusals: [(index: String, reason: Refusal)]
    /// An upper bound of the records that match.
    let matchesMax: Int

    var access: AccessPlan { best.access }
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
    var collation = Collation.binary
    /// The access to take if it can serve the query, whatever it costs: tests hold all of them against each other.
    var forced: ForcedAccess?

    func plan() throws -> PlannedQuery {
        let conditions = condition.conjuncts
        var accesses: [AccessPlan] = []
        var refusals: [(index: String, reason: PlannedQuery.Refusal)] = []
        for tree in OrderedTree.trees(of: collection) {
            switch try access(through: tree, conditions) {
            case .success(let access): accesses.append(access)
            case .refused(let reason): refusals.append((tree.name ?? "", reason))
            }
        }
        for index in collection.indexes where !index.isPlain {
            refusals.append((index.name, .kind(index)))
        }
        let matchesMax = accesses.map(\.candidatesMax).min() ?? 0
        let candidates = accesses.map { access in
            PlannedQuery.Candidate(
                access: access, cost: PlanCost.cost(of: access, goal, matchesMax: matchesMax))
        }
        // The collection itself comes first, and is never refused.
        var best = candidates[0]
        for candidate in candidates where candidate.cost < best.cost { best = candidate }
        if let forced {
            best = candidates.first { $0.access.match.tree.name == forced.index } ?? best
        }
        return PlannedQuery(
            best: best, candidates: candidates, refusals: refusals, matchesMax: matchesMax)
    }

    private enum Outcome {
        case success(AccessPlan)
        case refused(PlannedQuery.Refusal)
    }

    private func access(through tree: OrderedTree, _ conditions: [Condition]) throws -> Outcome {
        // Keys, and the indexes that there are, compare strings by their bytes. What says nothing of them is checked.
        let isComparable = collation == .binary
        if tree.isIndex, !isComparable { return .refused(.collation) }
        let match = TreeMatch(
            tree, isComparable || conditions.isEmpty ? conditions : [.all(conditions)])
        let wantedOrder = isComparable || sort.isEmpty ? match.order(for: sort) : nil
        var order = wantedOrder ?? (tree.isIndex ? nil : TreeOrder(tieDepth: tree.paths.count))
        var arrayLists: [KeyRange] = []
        var candidates = 0
        var refusal = PlannedQuery.Refusal.noPath
        if tree.isIndex {
            for ordinal in 0..<match.pathsUsed(order) {
                let list = tree.arrayList(ordinal)
                let count = try view.adapter.count(tree.id, of: collection, in: list)
                guard count > 0 else { continue }
                order = nil
                refusal = .arrays(records: count, path: tree.paths[ordinal].text)
                guard ordinal < match.boundPaths else { continue }
                arrayLists.append(list)
                candidates += count
            }
            if match.boundPaths == 0, order == nil || goal == .count { return .refused(refusal) }
        }
        for range in match.ranges {
            candidates += try view.adapter.count(tree.id, of: collection, in: range)
        }
        // Without a sort, an index's entries are put into key order, which is the wanted one.
        let isOrdered = sort.isEmpty || (wantedOrder != nil && order != nil)
        return .success(
            AccessPlan(
                match: match, order: order, arrayLists: arrayLists,
                needsCheck: !match.coversFilter || !arrayLists.isEmpty,
                givesWantedOrder: isOrdered, candidatesMax: candidates))
    }
}

extension Condition {
    /// The conditions all of which must hold; together they are this one.
    var conjuncts: [Condition] {
        guard case .all(let conditions) = self else { return [self] }
        return conditions.flatMap(\.conjuncts)
    }
}
