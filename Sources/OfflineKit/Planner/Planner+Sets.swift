// Accesses that are made of several: the union of what each branch of an `$or` leads to, and the intersection of what
// several conditions do. Their keys are gathered before a record is read.
import OfflineDocuments

extension Planner {
    /// An `$or` with more branches is checked on each record.
    private static let unionBranchesMax = 256
    /// Longer intersections don't pay.
    private static let intersectionMax = 4

    // MARK: Unions

    /// One for each `$or` among the conditions of which every branch has an access with bounds.
    func unions(_ conditions: [Condition]) throws -> [AccessPlan] {
        var plans: [AccessPlan] = []
        for (ordinal, condition) in conditions.enumerated() {
            guard case .any(let branches) = condition, branches.count <= Self.unionBranchesMax
            else { continue }
            var others = conditions
            others.remove(at: ordinal)
            if let accesses = try branchAccesses(branches, with: others) {
                plans.append(union(accesses))
            }
        }
        return plans
    }

    private func union(_ accesses: [TreeAccess]) -> AccessPlan {
        AccessPlan(
            source: .union(accesses), needsCheck: !accesses.allSatisfy(\.decidesAll),
            givesWantedOrder: sort.isEmpty,
            candidatesMax: accesses.reduce(0) { $0 + $1.candidatesMax })
    }

    /// The best access of each branch, all of whose conditions it may use; nil where one has none.
    private func branchAccesses(
        _ branches: [Condition], with others: [Condition]
    ) throws -> [TreeAccess]? {
        var accesses: [TreeAccess] = []
        for branch in branches {
            guard let access = try bestAccess(branch.conjuncts + others) else { return nil }
            accesses.append(access)
        }
        return accesses.isEmpty ? nil : accesses
    }

    /// The access with bounds that has the fewest candidates.
    private func bestAccess(_ conditions: [Condition]) throws -> TreeAccess? {
        var best: TreeAccess?
        func offer(_ match: TreeMatch) throws {
            guard match.boundPaths > 0 else { return }
            let access = try counted(match, arrayLists: try arrayLists(match))
            if best.map({ access.candidatesMax < $0.candidatesMax }) ?? true { best = access }
        }
        if collation == .binary {
            for match in TreeMatch.matches(OrderedTree(recordsOf: collection), conditions) {
                try offer(match)
            }
        }
        for index in collection.indexes
        where !index.isFullText && index.collation == collation {
            if let condition = index.condition, !condition.isImplied(by: conditions, collation) {
                continue
            }
            for match in matches(of: index, conditions) { try offer(match) }
        }
        return best
    }

    // MARK: Intersections

    /// Of the accesses through one index each, those together that leave the fewest records to read, as far as it pays;
    /// nil where none does.
    func intersection(of plans: [AccessPlan], recordCount: Int) -> AccessPlan? {
        let accesses = boundAccesses(plans).filter(\.match.tree.isIndex)
        guard let first = accesses.first else { return nil }
        var chosen = [first]
        var decided = first.match.decided.indices.map(first.decides)
        for access in accesses.dropFirst() where chosen.count < Self.intersectionMax {
            // What adds nothing but a condition that is decided already leaves nothing out.
            let adds = access.match.decided.indices.contains { ordinal in
                !decided[ordinal] && access.match.used[ordinal]
                    && !chosen.contains { $0.match.used[ordinal] }
            }
            let isForced = if case .intersection? = forced { true } else { false }
            guard adds, isForced || pays(access, beside: chosen, recordCount) else { continue }
            chosen.append(access)
            for ordinal in decided.indices where access.decides(ordinal) { decided[ordinal] = true }
        }
        guard chosen.count > 1 else { return nil }
        return AccessPlan(
            source: .intersection(chosen), needsCheck: !decided.allSatisfy { $0 },
            givesWantedOrder: sort.isEmpty, candidatesMax: first.candidatesMax)
    }

    /// About how many records match, taking what different conditions leave to be independent.
    func matchesEstimate(_ plans: [AccessPlan], recordCount: Int) -> Double {
        var chosen: [TreeAccess] = []
        for access in boundAccesses(plans) {
            let isNew = access.match.used.indices.contains { ordinal in
                access.match.used[ordinal] && !chosen.contains { $0.match.used[ordinal] }
            }
            if isNew { chosen.append(access) }
        }
        return PlanCost.intersectionSize(chosen, recordCount: recordCount)
    }

    /// The accesses through one tree that conditions bound, the fewest candidates first.
    private func boundAccesses(_ plans: [AccessPlan]) -> [TreeAccess] {
        plans.compactMap { plan -> TreeAccess? in
            guard case .tree(let access) = plan.source, access.match.boundPaths > 0 else {
                return nil
            }
            return access
        }.sorted {
            // Of the same number, those that come from more conditions.
            ($0.candidatesMax, $1.match.usedCount) < ($1.candidatesMax, $0.match.usedCount)
        }
    }

    /// Whether reading one more index's entries costs less than the records that it saves.
    private func pays(
        _ access: TreeAccess, beside chosen: [TreeAccess], _ recordCount: Int
    ) -> Bool {
        let left = PlanCost.intersectionSize(chosen, recordCount: recordCount)
        let after = PlanCost.intersectionSize(chosen + [access], recordCount: recordCount)
        return PlanCost.gathering(access) < PlanCost.reading(left - after)
    }
}
