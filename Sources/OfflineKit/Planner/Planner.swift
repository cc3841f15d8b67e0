// The choice of an access path: each tree that can serve the query is matched against the filter and the sort, its ranges
// are counted, and the cheapest wins, alone or with others (Planner+Sets). A plan changes the time that a query takes, never
// its result.
import OfflineDocuments

/// Chooses how to run a query.
struct Planner {
    let view: ReadView
    let collection: CollectionState
    let condition: Condition
    /// The distinct words that are searched for; nil: it is no search.
    var words: [[UInt8]]?
    let sort: [SortTerm]
    let goal: PlanGoal
    var collation = Collation.binary
    /// The access to take if it can serve the query, whatever it costs: tests hold all of them against each other.
    var forced: ForcedAccess?

    func plan() throws -> PlannedQuery {
        if let words { return try planSearch(words) }
        let conditions = condition.conjuncts
        let records = OrderedTree(recordsOf: collection)
        var found = try recordAccesses(records, conditions)
        var refusals: [(index: String, reason: PlannedQuery.Refusal)] = []
        for index in collection.indexes {
            switch try accesses(through: index, conditions) {
            case .success(let accesses): found += accesses
            case .refused(let reason): refusals.append((index.name, reason))
            }
        }
        found += try unions(conditions)
        let recordCount = try view.count(collection)
        let matchesMax = found.map(\.candidatesMax).min() ?? recordCount
        let matches = matchesEstimate(found, recordCount: recordCount)
        if let intersection = intersection(of: found, recordCount: recordCount) {
            found.append(intersection)
        }
        let candidates = found.map { access in
            PlannedQuery.Candidate(
                access: access,
                cost: PlanCost.cost(
                    of: access, goal, matches: min(Double(matchesMax), matches),
                    recordCount: recordCount))
        }
        return PlannedQuery(
            best: choose(candidates), candidates: candidates, refusals: refusals,
            matchesMax: matchesMax)
    }

    private func choose(_ candidates: [PlannedQuery.Candidate]) -> PlannedQuery.Candidate {
        // The collection itself comes first, and is never refused.
        var best = candidates[0]
        for candidate in candidates where candidate.cost < best.cost { best = candidate }
        guard let forced else { return best }
        return candidates.first { forced.isMet(by: $0.access.source) } ?? best
    }

    // MARK: One tree

    private enum Outcome {
        case success([AccessPlan])
        case refused(PlannedQuery.Refusal)
    }

    /// The collection's own tree.
    private func recordAccesses(
        _ tree: OrderedTree, _ conditions: [Condition]
    ) throws -> [AccessPlan] {
        // Keys compare strings by their bytes. A filter that doesn't is checked.
        let isComparable = collation == .binary
        let match =
            isComparable
            ? TreeMatch.matches(tree, conditions)[0]
            : TreeMatch(all: tree, conditionCount: conditions.count)
        let access = try counted(match, arrayLists: [])
        let wantedOrder = isComparable || sort.isEmpty ? match.order(for: sort) : nil
        return [
            plan(access, wantedOrder ?? TreeOrder(tieDepth: tree.paths.count), wantedOrder != nil)
        ]
    }

    private func accesses(
        through index: IndexState, _ conditions: [Condition]
    ) throws -> Outcome {
        if index.isFullText { return .refused(.fullText) }
        if index.collation != collation { return .refused(.collation) }
        if let condition = index.condition, !condition.isImplied(by: conditions, collation) {
            return .refused(.partial)
        }
        var plans: [AccessPlan] = []
        var refusal = PlannedQuery.Refusal.noPath
        for match in matches(of: index, conditions) {
            switch try plan(match) {
            case .success(let found): plans += found
            case .refused(let reason): refusal = reason
            }
        }
        if plans.isEmpty, case .noPath = refusal, isSealed(index) { refusal = .sealed }
        return plans.isEmpty ? .refused(refusal) : .success(plans)
    }

    /// Whether the index has tokens in the place of some values.
    func isSealed(_ index: IndexState) -> Bool {
        guard let sealing = collection.sealing else { return false }
        return index.paths.contains(where: sealing.isSensitive)
    }

    /// The ways in which an index that may be used matches the conditions.
    func matches(of index: IndexState, _ conditions: [Condition]) -> [TreeMatch] {
        var matches = TreeMatch.matches(OrderedTree(index, of: collection), conditions)
        if let condition = index.condition, collation == .binary {
            for position in matches.indices {
                matches[position].decide(conditions, heldBy: condition)
            }
        }
        return matches
    }

    private func plan(_ match: TreeMatch) throws -> Outcome {
        let tree = match.tree
        let wantedOrder = match.order(for: sort)
        var order = wantedOrder
        var refusal = PlannedQuery.Refusal.noPath
        if !tree.isMultiEntry {
            for ordinal in 0..<match.pathsUsed(order) {
                let list = tree.arrayList(ordinal)
                let count = try view.adapter.count(tree.id, of: collection, in: list)
                guard count > 0 else { continue }
                order = nil
                refusal = .arrays(records: count, path: tree.paths[ordinal].text)
            }
            // A partial index may have so few entries that it serves without bounds.
            if match.boundPaths == 0, tree.index?.condition == nil, order == nil || goal == .count {
                return .refused(refusal)
            }
        }
        let access = try counted(match, arrayLists: try arrayLists(match))
        if !access.arrayLists.isEmpty { order = nil }
        var plan = plan(access, order, wantedOrder != nil)
        if let order, plan.givesWantedOrder, !sort.isEmpty {
            var scan = OrderedScan(view, collection, tree, order) { _ in }
            plan.lead = try scan.lead(of: match.ranges)
        }
        return .success([plan])
    }

    /// The lists of records with arrays that the match doesn't see.
    func arrayLists(_ match: TreeMatch) throws -> [KeyRange] {
        let lists =
            match.tree.isMultiEntry
            ? (match.wantsArrays ? [match.tree.arrayList(0)] : [])
            : (0..<(match.tree.isIndex ? match.boundPaths : 0)).map(match.tree.arrayList)
        return try lists.filter {
            try view.adapter.count(match.tree.id, of: collection, in: $0) > 0
        }
    }

    func counted(_ match: TreeMatch, arrayLists: [KeyRange]) throws -> TreeAccess {
        var candidates = 0
        for range in match.ranges + arrayLists {
            candidates += try view.adapter.count(match.tree.id, of: collection, in: range)
        }
        return TreeAccess(match: match, arrayLists: arrayLists, candidatesMax: candidates)
    }

    private func plan(
        _ access: TreeAccess, _ order: TreeOrder?, _ isWantedOrder: Bool
    ) -> AccessPlan {
        // Without a sort, an index's entries are put into key order, which is the wanted one.
        AccessPlan(
            source: .tree(access), order: order, needsCheck: !access.decidesAll,
            givesWantedOrder: sort.isEmpty || (isWantedOrder && order != nil),
            candidatesMax: access.candidatesMax)
    }

    // MARK: Searches

    /// A search has one way: through its index.
    private func planSearch(_ words: [[UInt8]]) throws -> PlannedQuery {
        guard let index = collection.indexes.first(where: \.isFullText) else {
            throw OfflineError(
                .unknownIndex,
                "$text needs a full-text index, and the collection \"\(collection.name)\" has none",
                collection: collection.name)
        }
        let matches = try TextMatches(view, collection, index, words)
        let access = AccessPlan(
            source: .words(WordAccess(index: index, words: words, isRanked: sort.isEmpty)),
            needsCheck: !condition.conjuncts.isEmpty, givesWantedOrder: sort.isEmpty,
            candidatesMax: matches.countMax)
        let candidate = PlannedQuery.Candidate(access: access, cost: 0)
        return PlannedQuery(
            best: candidate, candidates: [candidate],
            refusals: collection.indexes.filter { !$0.isFullText }.map { ($0.name, .search) },
            matchesMax: access.candidatesMax)
    }
}

extension ForcedAccess {
    fileprivate func isMet(by source: AccessPlan.Source) -> Bool {
        switch (self, source) {
        case (.collection, .tree(let access)): access.name == nil
        case (.index(let name), .tree(let access)): access.name == name
        case (.union, .union), (.intersection, .intersection): true
        default: false
        }
    }
}
